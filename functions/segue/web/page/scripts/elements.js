/** Elements and words that all pages share: making and finding them, troubles, waits, the key. */

import {watchWaits, whenLocked} from "./service.js";

const SVG = "http://www.w3.org/2000/svg";

/** The one element that a selector finds. */
export const find = (selector, root = document) => root.querySelector(selector);

/**
 * An element with properties and children; names with a hyphen and `role` are attributes, children that are null or
 * false are left out.
 */
export function el(tag, properties = {}, ...children) {
  return filled(document.createElement(tag), properties, children);
}

/** The same for SVG, where all properties are attributes. */
export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** An icon of 24 by 24 units, drawn in the colour of the text beside it. */
export function icon(path) {
  return svg("svg", {viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true"}, svg("path", {d: path}));
}

/** A button that does something; `label` is said in place of its text. */
export function button(text, onclick, {label, ...properties} = {}) {
  return el("button", {type: "button", onclick, ...(label && {"aria-label": label}), ...properties}, text);
}

/** Keep what has the focus where an equal control stands after `change`. */
export function keepingFocus(root, change) {
  const key = root.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  change();
  if (key) [...root.querySelectorAll("[data-key]")].find(one => one.dataset.key === key)?.focus({preventScroll: true});
}

/** Have a screen reader say something. */
export function announce(text) {
  find("#spoken").textContent = text;
}

function filled(made, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name === "data") Object.assign(made.dataset, value);
    else if (name.includes("-") || name === "role") made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children.flat(2).filter(child => child !== null && child !== undefined && child !== false));
  return made;
}

// --- words ---

/** The artists of a song in one text. */
export const by = song => song.artists.join(", ") || "artist unknown";

/** A whole number with its thousands apart; a locale would cost a phone 100 ms when it is first used. */
export const count = number => String(number).replace(/\B(?=(?:\d{3})+$)/g, ",");

/** `1 song`, `2 songs`. */
export const counted = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;

/** The length of a song: `3:45`. */
export function clock(milliseconds) {
  const seconds = Math.round(milliseconds / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** The length of a list: `42 min`, `1 h 5 min`. */
export function span(milliseconds) {
  const minutes = Math.round(milliseconds / 60_000);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(words) {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

const TAG = /\s*(?:[-–—]\s+|[([])[^-–—()[\]]*\b(?:remaster(?:ed)?|re-?mastered|mono|stereo|(?:single|album|radio|original) (?:version|edit|mix)|anniversary|deluxe|bonus track)\b[^()[\]]*[)\]]?$/iu;

/** A title without what only tells which release it is from: `Remastered 2011`, `Mono Version`. */
export const untagged = title => title.replace(TAG, "") || title;

// --- icons ---

export const ICONS = {
  add: "M12 5v14M5 12h14",
  done: "M5 12.5 10 17 19 7",
  close: "M6 6l12 12M18 6 6 18",
  minus: "M5 12h14",
  play: "M8 5v14l11-7z",
  pause: "M8 5v14M16 5v14",
  back: "M18 6v12l-9-6zM6 6v12",
  radio: "M12 12h.01M8.5 15.5a5 5 0 0 1 0-7M15.5 8.5a5 5 0 0 1 0 7M5.6 18.4a9 9 0 0 1 0-12.8M18.4 5.6a9 9 0 0 1 0 12.8",
  next: "M6 6v12l9-6zM18 6v12",
  up: "M12 19V5M6 11l6-6 6 6",
  down: "M12 5v14M6 13l6 6 6-6",
  grip: "M9 6h.01M15 6h.01M9 12h.01M15 12h.01M9 18h.01M15 18h.01",
  picture: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9h.01",
  lasso: "M7 17c-2.6-1-4-3-4-5.5C3 7.4 7 4.5 12 4.5s9 2.9 9 7-4 7-9 7c-1.3 0-2.6-.2-3.7-.6M8.5 15.5a2 2 0 1 1-1.5 3.2c0 1.3-.5 2.3-1.5 3",
  whole: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
};

// --- the clipboard ---

const SHOWN = 1600; // milliseconds for which success is told

/** A button that copies what `text` gives when it is pressed. */
export function copyButton(name, text, properties = {}) {
  const made = button(name, async () => {
    const done = await copied(text());
    made.textContent = done ? "Copied" : "Not copied: select and copy it";
    announce(made.textContent);
    setTimeout(() => { made.textContent = name; }, SHOWN);
  }, properties);
  return made;
}

/** Put a text on the clipboard; false where the browser won't. */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return selectedAndCopied(text); // pages without TLS have no navigator.clipboard
  }
}

function selectedAndCopied(text) {
  const holder = el("textarea", {value: text, readOnly: true, className: "unseen", "aria-hidden": "true"});
  const before = document.activeElement;
  document.body.append(holder);
  holder.select();
  const done = document.execCommand("copy");
  holder.remove();
  before?.focus();
  return done;
}

// --- troubles ---

/**
 * A problem as a person reads it.
 *
 * again : asks anew; what passes by itself is asked again once it is worth it, for as long as the problem is shown
 * take(song) : takes one of the songs that may have been meant
 * more : further buttons
 */
export function trouble(problem, {again, take, more = []} = {}) {
  const faults = problem.faults ?? [];
  const meant = take ? problem.suggestions ?? [] : [];
  const made = el("div", {className: "trouble", role: "alert"},
    el("p", {className: "trouble-said"}, sentence(problem.message)),
    problem.unreached && el("p", {}, "What you see stays. It goes on once the service can be reached."),
    faults.length > 0 && el("ul", {}, faults.map(fault => el("li", {}, sentence(fault)))),
    meant.length > 0 && el("p", {}, "Did you mean:"),
    meant.length > 0 && el("p", {className: "actions"}, meant.map(song => button(`${song.name} · ${by(song)}`, () => take(song)))),
    el("p", {className: "actions"}, again && button("Try again", again, {"data-key": "again"}), more));
  if (again && problem.wait) repeat(made, problem.wait, again);
  return made;
}

/** Ask again after some seconds, and tell how many are left. */
function repeat(made, seconds, again) {
  const left = el("span", {}, seconds), ends = performance.now() + 1000 * seconds;
  made.append(el("p", {className: "small", "aria-live": "off"}, "It is tried again by itself in ", left, " s."));
  const timer = setInterval(() => {
    const rest = Math.ceil((ends - performance.now()) / 1000);
    if (!made.isConnected || rest <= 0) clearInterval(timer);
    if (made.isConnected && rest <= 0) again();
    left.textContent = String(Math.max(0, rest));
  }, 250);
}

function sentence(text) {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

// --- waits ---

const LONG = 1; // seconds after which a first answer means that the service was asleep
const READ = 8000; // milliseconds for which that is told
let answered = false;
let longest = 0;

/** Show waits in the line for them. */
export function showWaits() {
  const line = find("#wait");
  watchWaits(seconds => {
    if (seconds === null) ended(line);
    else waits(line, seconds);
  });
}

function waits(line, seconds) {
  if (!longest) announce(said());
  longest = Math.max(longest, seconds);
  line.hidden = false;
  line.classList.add("waiting");
  line.textContent = `${said()} ${seconds.toFixed(1)} s`;
}

function ended(line) {
  if (longest) {
    line.classList.remove("waiting");
    line.textContent = !answered && longest >= LONG ? `It was asleep and woke up in ${longest.toFixed(1)} s.` : "";
    line.hidden = !line.textContent;
    setTimeout(() => { line.hidden ||= !line.classList.contains("waiting"); }, READ);
  }
  answered = true;
  longest = 0;
}

const said = () => (answered ? "Still looking …" : "Waking up the service …");

// --- the key ---

/** Have requests that need a key ask for it here. */
export const askForKeys = () => whenLocked(asked);

/** The key that a person gives; null where the dialog is closed without one. */
function asked(refused) {
  const field = el("input", {type: "password", id: "key", required: true, maxLength: 512, autocomplete: "current-password", spellcheck: false});
  const dialog = el("dialog", {className: "key", "aria-labelledby": "key-title"},
    el("form", {method: "dialog"},
      el("h2", {id: "key-title"}, "This service is closed by keys"),
      el("p", {role: refused ? "alert" : null}, refused ? "It does not know this key." : "Whoever runs it has one for you. It is kept until this window is closed."),
      el("p", {className: "labelled"}, el("label", {htmlFor: "key"}, "API key"), field),
      el("p", {className: "actions"}, el("button", {className: "strong"}, "Open"),
        el("button", {type: "button", onclick: () => dialog.close("")}, "Not now"))));
  dialog.querySelector("form").addEventListener("submit", event => {
    event.preventDefault();
    dialog.close(field.value.trim());
  });
  document.body.append(dialog);
  dialog.showModal();
  return new Promise(resolve => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue || null);
    });
  });
}
