/** The playlist: its songs in order, its length, and what can be done with it. */

import {latest, aborted} from "../core/api.js";
import {announce, button, el, find, icon, keepingFocus} from "../core/dom.js";
import {LONGEST_NAME} from "../core/address.js";
import {details, recall} from "../core/songs.js";
import {change, now, watch} from "../core/store.js";
import {clock, counted, span} from "../core/words.js";
import {ICONS} from "../parts/icons.js";
import {trouble} from "../parts/trouble.js";
import {changeAndTell} from "../parts/notice.js";
import {playAll, playButton} from "../parts/play.js";
import {radioButton} from "../songs/seed.js";
import {artists, linkTo} from "../songs/row.js";
import {energyLine} from "./energy.js";
import {exits} from "./exits.js";
import {makers} from "./makers.js";
import {draggable, moved} from "./order.js";

const anew = latest();
const rows = el("ol", {className: "playlist", id: "playlist"});
const head = el("div", {className: "playlist-head"});
const foot = el("div", {className: "below"});
const said = el("div", {});

/** Show the playlist in its view. */
export function showPlaylist() {
  find("#view-playlist").replaceChildren(
    el("div", {className: "columns"},
      el("section", {className: "results", "aria-labelledby": "playlist-title"}, head, said, rows, foot),
      el("aside", {className: "shape", "aria-label": "Make a playlist"}, makers())));
  draggable(rows, (from, to) => move(from, to));
  watch((state, before) => {
    if (!before || state.list !== before.list) renew(state.list);
  });
}

async function renew(list) {
  draw(list);
  said.replaceChildren();
  try {
    await details(list, anew());
    draw(list);
  } catch (problem) {
    if (!aborted(problem)) said.replaceChildren(trouble(problem, {again: () => renew(now().list)}));
  }
}

function draw(list) {
  const known = list.map(recall);
  head.replaceChildren(el("h2", {id: "playlist-title"}, now().name || "Playlist"), ...(list.length ? [summary(known)] : [empty()]));
  if (list.length) head.append(nameField());
  const songs = known.filter(Boolean), awaited = known.includes(undefined);
  if (songs.length || awaited) head.append(el("p", {className: "actions"}, playAll(songs, {"data-key": "play list"}), radioButton(songs)));
  const line = energyLine(known) ?? (awaited && el("div", {className: "energy"}));
  if (line) head.append(line);
  keepingFocus(rows, () => rows.replaceChildren(...known.map((song, place) => entry(song, list, place))));
  foot.replaceChildren(...(list.length ? exits(known) : []));
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

function entry(song, list, place) {
  const id = list[place], name = song?.name ?? id;
  const lost = song === null;
  return el("li", {className: "entry", data: {id}},
    el("span", {className: "grip", title: "Drag to another place", "aria-hidden": "true"}, icon(ICONS.grip)),
    el("span", {className: "rank"}, String(place + 1)),
    el("div", {className: "about"},
      el("h3", {}, el("a", {className: "title", href: linkTo("song", id)}, el("bdi", {className: "song-name", title: name}, name))),
      el("p", {className: "facts"}, lost ? "This catalogue has no such song." : song ? artists(song, "song-artists") : "…")),
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
