/** Controls that several views share: what is heard, what was done, where the focus is, fields with choices. */

import {absolute, change, curl, MOST_LISTED, now, python, shared, watch} from "./state.js";
import {aborted, latest} from "./service.js";
import {announce, button, copyButton, counted, el, find, icon, ICONS} from "./elements.js";

const SILENT = Object.freeze({songs: [], at: 0, paused: false, radio: false, skipped: []});
const listeners = [];
let queue = SILENT;

/** The row as it is. */
export const heard = () => queue;

/** The song that is heard; null where none is. */
export const current = () => queue.songs[queue.at] ?? null;

/** Call a function with the row, at once and after each change. */
export function watchQueue(listener) {
  listeners.push(listener);
  listener(queue);
}

/** Hear songs from a place on. */
export const play = (songs, {at = 0, radio = false} = {}) => move({songs, at, paused: false, radio, skipped: []});

/** Pause, or go on. */
export const pause = paused => paused !== queue.paused && move({...queue, paused});

/** Hear the song that is some places away, if there is one; the radio has one after the last. */
export function step(by) {
  const {songs, at, radio: endless} = queue, to = at + by;
  if (songs[to] || (endless && to === songs.length)) move({...queue, at: to, paused: false});
}

/** Leave a song because it is not liked: the radio is told; with `renewed` what was to come is chosen anew. */
export function skip({renewed = false} = {}) {
  const {songs, at, skipped} = queue, left = renewed ? songs.slice(0, at + 1) : songs;
  move({...queue, songs: left, skipped: [...skipped, songs[at].id], at: Math.min(at + 1, left.length), paused: false});
}

/** Go on as a radio once the row ends, or do not. */
export const radio = on => move({...queue, radio: on});

/** Add songs at the end; `after` is the row that they follow, and they are dropped where it is another by now. */
export const append = (songs, after) => after === queue.songs && move({...queue, songs: [...queue.songs, ...songs]});

/** Hear what was heard before, as a row that heard() gave. */
export const restore = before => move(before);

/** Hear nothing. */
export const stop = () => move(SILENT);

function move(next) {
  queue = next;
  for (const listener of listeners) listener(queue);
}

// --- buttons that play ---

watchQueue(() => document.querySelectorAll("[data-play]").forEach(mark));

/** A button that plays a song, and after it the others of a row, which `songs` gives; or pauses it. */
export function playButton(song, songs, {className = "", data = {}, ...properties} = {}) {
  const made = button("", () => pressed(song, songs()), {
    className: `play ${song.link ? "" : "unsure"} ${className}`, data: {...data, play: song.id, name: song.name}, ...properties,
  });
  mark(made);
  return made;
}

/** A button that plays all songs of a row. */
export function playAll(songs, properties = {}) {
  return button([icon(ICONS.play), "Play all"], () => play(songs), {
    className: `with-icon ${songs.some(({link}) => link) ? "" : "unsure"}`, "data-key": "play all", ...properties,
  });
}

function pressed(song, songs) {
  if (current()?.id === song.id) pause(!heard().paused);
  else play(songs, {at: Math.max(0, songs.findIndex(({id}) => id === song.id))});
}

function mark(made) {
  const on = current()?.id === made.dataset.play, playing = on && !heard().paused;
  made.classList.toggle("on", on);
  made.replaceChildren(icon(playing ? ICONS.pause : ICONS.play));
  made.setAttribute("aria-label", `${playing ? "Pause" : "Play"} ${made.dataset.name}`);
  made.title = playing ? "Pause" : "Play";
}

// --- what was done ---

const place = find("#notice");
let begun = null; // the state that the notice is about

watch(state => state !== begun && hide());

/** Change some of the state and say what was done, in a sentence. */
export function changeAndTell(some, said) {
  const before = now(), key = focused();
  change(some);
  undoable(said, () => change(Object.fromEntries(Object.keys(some).map(name => [name, before[name]]))), key);
}

/** Say what was done; `undo` takes it back, and what had the focus, by its key, has it again. */
export function undoable(said, undo, key = focused()) {
  begun = now();
  place.hidden = false;
  place.replaceChildren(el("p", {}, said), button("Undo", () => {
    hide();
    undo();
    setTimeout(() => refocus(key)); // once what was there is drawn again
    announce("Undone.");
  }, {"data-key": "undo"}), button(icon(ICONS.close), hide, {label: "Close this message", className: "round"}));
  announce(said);
}

const focused = () => document.activeElement?.dataset.key;

function hide() {
  place.hidden = true;
  place.replaceChildren();
}

function refocus(key) {
  (key && [...document.querySelectorAll("[data-key]")].find(one => one.dataset.key === key) || find("#main")).focus({preventScroll: true});
}

// --- a question ---

/** Make songs, by id, the playlist, with more that changes then; where there is another one, ask in `place` first. */
export function takeAsPlaylist(ids, place, more = {}) {
  const {list} = now(), added = [...new Set([...list, ...ids])];
  place.replaceChildren();
  if (!list.length || String(list) === String(ids)) return change({...more, list: ids});
  const answer = (text, some, said) => button(text, () => {
    place.replaceChildren();
    if (some) changeAndTell({...more, ...some}, said);
  });
  const replace = answer(`Replace ${list.length === 1 ? "it" : "them"}`, {list: ids}, "The playlist is another one now.");
  place.replaceChildren(el("div", {className: "question", role: "group", "aria-label": "The playlist"},
    el("p", {}, `The playlist has ${counted(list.length, "song")} already, the new one ${ids.length}.`),
    el("p", {className: "actions"}, replace,
      added.length <= MOST_LISTED && answer("Add to the end", {list: added}, `${counted(added.length - list.length, "song")} added.`),
      answer("Keep it as it is", null))));
  replace.focus();
  return undefined;
}

// --- links and requests ---

/** Where others see what is shown here, in a form that previews can read if there is one. */
export const link = () => absolute(shared(now()));

/** The button. */
export const linkButton = () => copyButton("Copy link", link, {title: "The address of what is shown", "data-key": "link"});

/** A request that can be opened and copied. */
export function behind(address, body) {
  const method = body === undefined ? "GET" : "POST";
  return el("details", {className: "behind"},
    el("summary", {}, "The request behind this"),
    el("pre", {tabIndex: 0}, el("code", {}, `${method} /${address}${body === undefined ? "" : `\n${JSON.stringify(body, null, 1)}`}`)),
    el("p", {className: "actions"},
      copyButton("Copy as curl", () => curl(address, body)),
      copyButton("Copy as Python", () => python(address, body))));
}

// --- the focus ---

const AROUND = "section, form, aside, nav, main";
let last = null, around = [];

/** Keep the focus on the page. */
export function keepFocus() {
  document.addEventListener("focusin", ({target}) => {
    last = target;
    around = [];
    for (let one = target.parentElement; one; one = one.parentElement) if (one.matches(AROUND)) around.push(one);
  });
  document.addEventListener("focusout", () => setTimeout(() => { // what is being taken away is left before it is gone
    if (document.activeElement === document.body && usable(last)) last = null; // left by its own will
  }));
  new MutationObserver(() => {
    if (last && document.activeElement === document.body && !usable(last)) heir().focus({preventScroll: true});
  }).observe(document.body, {childList: true, subtree: true, attributes: true, attributeFilter: ["hidden", "disabled"]});
}

const usable = one => Boolean(one?.isConnected && !one.disabled && one.checkVisibility());

function heir() {
  const {key} = last.dataset, same = key && [...document.querySelectorAll("[data-key]")].find(one => one.dataset.key === key && usable(one));
  const place = same || around.find(usable) || find("#main");
  if (!same) place.tabIndex = -1;
  return place;
}

// --- fields with choices ---

const TOUCHED = matchMedia("(pointer: coarse)");
const PAUSE = 120; // milliseconds without a key before something is asked for

/**
 * Make a combobox of a field and an empty list beside it.
 *
 * offer(text, signal) : resolves to choices for a text, which may be empty
 * show(choice) : the content of an option
 * choose(choice) : takes what was chosen
 * submit(text) : takes a text for which nothing was chosen
 */
export function combobox(input, list, {offer, show, choose, submit}) {
  const anew = latest();
  let choices = [], picked = -1, timer = 0;

  function close() {
    clearTimeout(timer);
    anew();
    list.hidden = true;
    choices = [];
    pick(-1);
    input.setAttribute("aria-expanded", "false");
  }

  function pick(place) {
    picked = place;
    [...list.children].forEach((option, at) => option.setAttribute("aria-selected", String(at === place)));
    if (place < 0) input.removeAttribute("aria-activedescendant");
    else {
      input.setAttribute("aria-activedescendant", list.children[place].id);
      list.children[place].scrollIntoView({block: "nearest"});
    }
  }

  function open(offered) {
    choices = offered;
    list.replaceChildren(...offered.map((choice, place) => el("li", {
      id: `${list.id}-${place}`, role: "option", "aria-selected": "false",
      onpointerdown: event => event.preventDefault(), // the field keeps the focus
      onclick: () => take(choice),
    }, show(choice))));
    picked = -1;
    input.removeAttribute("aria-activedescendant");
    list.hidden = !offered.length;
    input.setAttribute("aria-expanded", String(Boolean(offered.length)));
    if (input.value.trim()) announce(offered.length ? `${counted(offered.length, "suggestion")}.` : "No suggestions.");
  }

  async function suggest() {
    try {
      const offered = await offer(input.value.trim(), anew());
      if (document.activeElement === input) open(offered);
    } catch (error) {
      if (!aborted(error)) close(); // who presses Enter is told what is wrong
    }
  }

  function take(choice) {
    close();
    choose(choice);
    settle();
  }

  /** Have the keyboard of a phone go, once something is chosen. */
  function settle() {
    if (TOUCHED.matches) find("#main").focus({preventScroll: true});
  }

  function moved(step) {
    if (list.hidden) return suggest();
    const places = choices.length + 1; // the field itself is one
    return pick(((picked + 1 + step + places) % places) - 1);
  }

  function pressed(event) {
    const steps = {ArrowDown: 1, ArrowUp: -1};
    if (event.isComposing) return;
    if (event.key in steps) {
      event.preventDefault();
      moved(steps[event.key]);
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      close();
    } else if (event.key === "Enter") {
      event.preventDefault();
      const text = input.value.trim(), choice = choices[picked];
      close();
      if (choice) choose(choice);
      else if (text) submit(text);
      if (choice || text) settle();
    }
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(suggest, PAUSE);
  });
  input.addEventListener("keydown", pressed);
  input.addEventListener("blur", close);
  input.addEventListener("click", () => list.hidden && suggest());
  return {close};
}

/** The field and the list of a combobox, to be placed; `name` is what the field is for. */
export function comboboxParts(id, name, placeholder) {
  const input = el("input", {
    id, type: "search", maxLength: 200, placeholder, enterKeyHint: "search", autocomplete: "off", spellcheck: false,
    role: "combobox", "aria-label": name, "aria-autocomplete": "list", "aria-controls": `${id}-choices`, "aria-expanded": "false",
  });
  const list = el("ul", {id: `${id}-choices`, className: "choices", role: "listbox", "aria-label": name, hidden: true});
  return {input, list};
}
