/** The playlist: its songs in order, its length, the ways out of it, and the forms that make one. */

import {change, LONGEST_NAME, MOST_LISTED, now, recommendation, watch} from "./state.js";
import {aborted, answered, ask, details, latest, once, recall, remember} from "./service.js";
import {nameOf, watchNames} from "./answers.js";
import {announce, button, clock, copyButton, counted, el, find, icon, ICONS, keepingFocus, listed, span, svg, trouble} from "./elements.js";
import {behind, changeAndTell, link, linkButton, playAll, playButton, takeAsPlaylist} from "./controls.js";
import {walkFields} from "./find.js";
import {artists, linkTo, radioButton} from "./songs.js";

const anew = latest();
const rows = el("ol", {className: "playlist", id: "playlist"});
const head = el("div", {className: "playlist-head"});
const foot = el("div", {className: "below"});
const said = el("div", {});

/** Show the playlist in its view, once. */
export const show = once(async () => {
  const aside = el("aside", {className: "shape", "aria-label": "Make a playlist"});
  find("#view-playlist").replaceChildren(
    el("div", {className: "columns"}, el("section", {className: "results", "aria-labelledby": "playlist-title"}, head, said, rows, foot), aside));
  draggable(rows, (from, to) => move(from, to));
  watch((state, before) => {
    if (!before || state.list !== before.list) renew(state.list);
  });
  requestAnimationFrame(() => setTimeout(() => aside.append(...makers()))); // the songs are painted first
});

async function renew(list) {
  draw(list, {awaits: true});
  said.replaceChildren();
  try {
    await details(list, anew());
    draw(list);
  } catch (problem) {
    if (aborted(problem)) return;
    draw(list);
    said.replaceChildren(trouble(problem, {again: () => renew(now().list)}));
  }
}

/** Draw a list; while it awaits songs, rows and what is below them have no height yet, so nothing of them is seen. */
function draw(list, {awaits = false} = {}) {
  const known = list.map(recall);
  head.replaceChildren(el("h2", {id: "playlist-title"}, now().name || "Playlist"), ...(list.length ? [summary(known)] : [empty()]));
  if (list.length) head.append(nameField());
  const songs = known.filter(Boolean), awaited = awaits && known.includes(undefined);
  if (songs.length || awaited) head.append(el("p", {className: "actions"}, playAll(songs, {"data-key": "play list"}), radioButton(songs)));
  const line = energyLine(known) ?? (awaited && el("div", {className: "energy"}));
  if (line) head.append(line);
  keepingFocus(rows, () => rows.replaceChildren(...known.map((song, place) => (awaits && song === undefined ? blank() : entry(song, list, place)))));
  foot.replaceChildren(...(list.length && !awaited ? exits(known) : []));
}

function nameField() {
  const field = el("input", {
    className: "playlist-name", value: now().name, maxLength: LONGEST_NAME, placeholder: "Give it a name", "aria-label": "Name of the playlist", "data-key": "name",
    onchange: () => {
      change({name: field.value.trim()}, {replace: true});
      find("#playlist-title").textContent = now().name || "Playlist";
    },
  });
  return field;
}

function summary(known) {
  const length = known.reduce((sum, song) => sum + (song?.duration_ms ?? 0), 0);
  return el("p", {className: "playlist-length"}, `${counted(known.length, "song")}, ${span(length)}`);
}

function empty() {
  return el("div", {className: "nothing-kept"},
    el("p", {}, "Nothing here yet."),
    el("p", {}, "Put songs in with the plus beside them, have a list made for you, or drop a file here that has one."));
}

const blank = () => el("li", {className: "entry blank", "aria-hidden": "true"});

function entry(song, list, place) {
  const id = list[place], name = song?.name ?? id;
  const lost = song === null;
  return el("li", {className: "entry", data: {id}},
    el("span", {className: "grip", title: "Drag to another place", "aria-hidden": "true"}, icon(ICONS.grip)),
    el("span", {className: "rank"}, String(place + 1)),
    el("div", {className: "about"},
      el("h3", {}, el("a", {className: "title", href: linkTo("song", id)}, el("bdi", {className: "song-name", title: name}, name))),
      el("p", {className: "facts"}, lost ? "This catalogue has no such song." : song ? artists(song, "song-artists") : "Not known yet.")),
    el("span", {className: "entry-length"}, song?.duration_ms ? clock(song.duration_ms) : ""),
    el("div", {className: "entry-buttons"},
      song && playButton(song, () => list.map(recall).filter(Boolean), {"data-key": `play ${id}`}),
      button(icon(ICONS.up), () => move(place, place - 1), {label: `Move ${name} up`, title: "Up", disabled: place === 0, "data-key": `up ${id}`}),
      button(icon(ICONS.down), () => move(place, place + 1), {label: `Move ${name} down`, title: "Down", disabled: place === list.length - 1, "data-key": `down ${id}`}),
      button(icon(ICONS.close), () => remove(place), {label: `Take ${name} out`, title: "Take out", "data-key": `out ${id}`})));
}

function move(from, to) {
  const {list} = now();
  change({list: moved(list, from, to)});
  announce(`${recall(list[from])?.name ?? list[from]} is number ${to + 1} of ${list.length}.`);
}

function remove(place) {
  const {list} = now();
  changeAndTell({list: list.filter((_, at) => at !== place)}, `“${recall(list[place])?.name ?? list[place]}” is out of the playlist.`);
  (rows.children[Math.min(place, list.length - 2)]?.querySelector("[data-key^=out]") ?? find("#main")).focus();
}

// --- the order ---

/** The list with the entry at one place moved to another. */
function moved(list, from, to) {
  const rest = list.filter((_, place) => place !== from);
  return [...rest.slice(0, to), list[from], ...rest.slice(to)];
}

/**
 * Let rows be dragged by their handles, with a mouse, a pen or a finger; drop(from, to) is called at the end.
 *
 * Rows are children of `list`; a handle has the class `grip`.
 */
function draggable(list, drop) {
  list.addEventListener("pointerdown", event => {
    const handle = event.target.closest(".grip");
    if (!handle || event.button !== 0) return;
    event.preventDefault();
    drag(list, handle.closest("li"), event, drop);
  });
}

function drag(list, row, {pointerId, clientY: began}, drop) {
  const rows = [...list.children], from = rows.indexOf(row);
  const middles = rows.map(one => one.getBoundingClientRect()).map(({top, height}) => top + height / 2);
  const ending = new AbortController(), {signal} = ending;
  let to = from;

  function move({clientY}) {
    const by = clientY - began, height = row.offsetHeight;
    to = middles.filter((middle, place) => place !== from && middle < middles[from] + by).length;
    row.style.transform = `translateY(${by}px)`;
    rows.forEach((one, place) => {
      const shift = place > from && place <= to ? -height : place < from && place >= to ? height : 0;
      if (one !== row) one.style.transform = shift ? `translateY(${shift}px)` : "";
    });
  }

  function end({type}) {
    ending.abort();
    row.classList.remove("dragged");
    for (const one of rows) one.style.transform = "";
    if (type === "pointerup" && to !== from) drop(from, to);
  }

  row.classList.add("dragged");
  list.setPointerCapture(pointerId);
  list.addEventListener("pointermove", move, {signal});
  list.addEventListener("pointerup", end, {signal});
  list.addEventListener("pointercancel", end, {signal});
}

// --- its energy ---

const HIGH = 40;

/** A line of the energies of songs, of which some may be unknown; nothing for fewer than three. */
function energyLine(songs) {
  const known = songs.map((song, place) => [place, song?.features?.energy]).filter(([, energy]) => typeof energy === "number");
  if (known.length < 3) return null;
  const points = known.map(([place, energy]) => `${place},${(HIGH * (1 - energy)).toFixed(1)}`);
  const [first, last] = [known[0], known.at(-1)].map(([, energy]) => Math.round(100 * energy));
  return el("figure", {className: "energy"},
    el("figcaption", {}, `Energy, from ${first} % to ${last} %`),
    svg("svg", {viewBox: `0 0 ${songs.length - 1} ${HIGH}`, preserveAspectRatio: "none", "aria-hidden": "true"},
      svg("polyline", {points: points.join(" "), "vector-effect": "non-scaling-stroke"})));
}

// --- the ways out ---

const FILES = [["CSV", "csv"], ["M3U8", "m3u8"], ["JSPF", "jspf"]];

/** Buttons for a list of songs. */
function exits(songs) {
  const said = el("div", {});
  const real = songs.filter(song => song?.link);
  return [
    el("p", {className: "actions"},
      FILES.map(([name, format]) => button(name, () => save(format, said), {label: `Save as ${name}`, "data-key": format})),
      copyButton("Spotify URIs", () => real.map(({id}) => `spotify:track:${id}`).join("\n"),
        {disabled: !real.length, title: real.length ? "Copy, to be pasted into a playlist at Spotify" : "Spotify has none of these songs"}),
      button("See it on the map", () => change({view: "map", at: null, cluster: null})),
      linkButton(),
      navigator.share && button("Share", () => navigator.share({title: now().name || "A playlist of Segue", url: link()}).catch(() => {})),
      button("Clear", () => changeAndTell({list: []}, "The playlist is empty."), {className: "quiet", label: "Clear the playlist"})),
    said,
    behind("songs?format=m3u8", {ids: now().list}),
  ];
}

async function save(format, said) {
  said.replaceChildren();
  try {
    const answer = await answered(`songs?format=${format}`, {body: {ids: now().list}});
    const address = URL.createObjectURL(await answer.blob());
    el("a", {href: address, download: `playlist.${format}`}).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
    announce("The file is saved.");
  } catch (problem) {
    said.replaceChildren(trouble(problem, {again: () => save(format, said)}));
  }
}

// --- making one ---

const TYPES = ".csv,.tsv,.txt,.json,.jsonl,.jspf,.m3u,.m3u8";
const FLOWS = [["steady", "steady"], ["rise", "rising"], ["fall", "falling"], ["wave", "in waves"], ["harmonic", "in keys that go together"]];
const ON = 5; // songs that are added at a time
const making = latest();
const outcome = el("div", {className: "made"}), asked = el("div", {}), brought = el("div", {});

/** The forms that make lists. */
function makers() {
  return [el("h2", {}, "Make one"), curve(), between(), on(), order(), bringing(), asked, outcome];
}

function curve() {
  const number = el("input", {type: "number", id: "make-number", min: 1, max: 200, value: "15", required: true});
  const unit = select("make-unit", [["songs", "songs"], ["minutes", "minutes"]]);
  const flow = select("make-flow", FLOWS);
  const from = el("p", {className: "small"});
  unit.addEventListener("change", () => {
    [number.min, number.max] = unit.value === "songs" ? [1, 200] : [5, 600];
    number.value = unit.value === "songs" ? "15" : "60";
  });
  const tell = () => { from.textContent = origin(); };
  watch(tell);
  watchNames(tell);
  return form("From what you like", () => {
    const seeds = origins();
    if (!seeds.length) return Promise.reject(new Error("Name a song first, or put one into the playlist."));
    const {limit, explain, ...asked} = recommendation(now());
    return make("playlist", {...asked, seeds, [unit.value]: Number(number.value), flow: flow.value}, taken);
  }, from, el("p", {className: "fields"},
    labelled("make-number", "How much", number), labelled("make-unit", "of", unit), labelled("make-flow", "Energy", flow)));
}

function between() {
  const {elements, request} = walkFields("walk");
  const length = el("input", {type: "number", id: "walk-length", min: 3, max: 50, value: "8", required: true});
  return form("A walk between two songs", async () => make("path", request(Number(length.value)), taken), elements,
    el("p", {className: "fields"}, labelled("walk-length", "Songs", length)));
}

function on() {
  const go = button(`Add ${ON} that follow`, () => run(go, () => {
    const {list} = now();
    return make("continue", {played: list, limit: ON}, ids => change({list: [...list, ...ids]}));
  }));
  watch(({list}) => { go.disabled = !list.length || list.length + ON > MOST_LISTED; });
  return el("section", {className: "maker"}, el("h3", {}, "On from the last"), el("p", {className: "small"}, "A radio: what comes next after these songs."), go);
}

function order() {
  const flow = select("order-flow", FLOWS), text = flow.options;
  const made = form("Put it in order", () => {
    const {list} = now();
    return make("order", {songs: list.map(id => ({id})), flow: flow.value}, ids => {
      const lost = list.filter(id => !ids.includes(id));
      changeAndTell({list: [...ids, ...lost]}, `The playlist is ${text[flow.selectedIndex].text} now.`);
    });
  }, el("p", {className: "small"}, "The same songs, none added and none lost."), el("p", {className: "fields"}, labelled("order-flow", "Energy", flow)));
  const go = made.querySelector("[type=submit]");
  go.textContent = "Put in order";
  watch(({list}) => { go.disabled = list.length < 2; });
  return made;
}

const taken = ids => takeAsPlaylist(ids, asked);

/** Ask for a list, and take its songs, by id. */
async function make(address, body, take) {
  asked.replaceChildren();
  const answer = await ask(address, {body, signal: making()});
  remember(answer.songs);
  take(answer.songs.map(({id}) => id));
  announce(`${counted(answer.songs.length, "song")}, ${span(answer.duration_ms)}.`);
  outcome.replaceChildren(behind(address, body));
}

/** The field for a file, and what was said of the last one. */
function bringing() {
  const field = el("input", {type: "file", id: "bring", accept: TYPES, onchange: () => field.files.length && receive(field.files[0])});
  return el("section", {className: "maker", "aria-labelledby": "bring-title"}, el("h3", {id: "bring-title"}, "Bring a list"),
    el("p", {className: "labelled"}, el("label", {htmlFor: "bring"}, "A file that another program saved: CSV, JSON, JSPF, M3U8 or text. Or drop it anywhere here."), field),
    brought);
}

/** Take the songs of a file. */
export async function receive(file) {
  const {bring} = await import("./bring.js");
  bring(file, brought);
}

async function run(go, work) {
  if (go.ariaDisabled === "true") return; // it keeps the focus, which a disabled button loses
  go.ariaDisabled = "true";
  try {
    await work();
  } catch (problem) {
    if (!aborted(problem)) outcome.replaceChildren(trouble(problem));
  } finally {
    go.ariaDisabled = null;
  }
}

function form(name, work, ...children) {
  const go = el("button", {type: "submit"}, "Make it");
  return el("form", {
    className: "maker", "aria-label": name,
    onsubmit: event => {
      event.preventDefault();
      run(go, work);
    },
  }, el("h3", {}, name), children, go);
}

/** Seeds for a list: those of the mix, else the songs of the playlist. */
function origins() {
  const {seeds, list} = now();
  return seeds.some(({less}) => !less) ? recommendation(now()).seeds : list.slice(0, 20).map(id => ({id}));
}

function origin() {
  const {seeds, list} = now();
  const liked = seeds.filter(({less}) => !less).map(nameOf);
  if (liked.length) return `Songs like ${listed(liked)}, shaped by your sliders.`;
  return list.length ? `Songs like ${counted(Math.min(list.length, 20), "song")} of the playlist.` : "Songs like those that you name.";
}

const labelled = (id, text, control) => el("span", {className: "labelled"}, el("label", {htmlFor: id}, text), control);
const select = (id, entries) => el("select", {id}, entries.map(([key, text]) => el("option", {value: key}, text)));
