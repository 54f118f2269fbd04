/** A song's sound as six small columns, with a line at the height of the seed's; each is named where somebody asks. */

import {PROFILE, share} from "../core/dials.js";
import {el, svg} from "../core/dom.js";
import {numbers} from "../core/songs.js";

const WIDE = 8, APART = 4, HIGH = 30; // units of the drawing

/**
 * The profile of a song with features; `base` has the seed's, or is null.
 *
 * A pointer names one column; a press, which is a tap or Enter, names all of them below.
 */
export function profile(song, base, key) {
  const values = numbers(song);
  const columns = PROFILE.filter(({name}) => name in values);
  const width = columns.length * (WIDE + APART) - APART;
  const marks = columns.map((column, place) => svg("g", {}, titled(told(column, values, base)), ...drawn(column, place * (WIDE + APART), values, base)));
  const list = el("ul", {className: "profile-told", hidden: true}, columns.map(column => el("li", {}, told(column, values, base))));
  const made = el("button", {
    type: "button", className: "profile-button", "aria-expanded": "false", "data-key": `sound ${key}`, title: "What the columns are",
    onclick: () => {
      list.hidden = !list.hidden;
      made.setAttribute("aria-expanded", String(!list.hidden));
    },
  }, svg("svg", {class: "profile", viewBox: `0 0 ${Math.max(width, 1)} ${HIGH}`, role: "img",
    "aria-label": `Sound: ${columns.map(column => told(column, values, base)).join(", ")}`}, ...marks));
  return [made, list];
}

function drawn(column, x, values, base) {
  const height = Math.max(1, HIGH * share(column, values[column.name]));
  const bar = svg("rect", {x, y: HIGH - height, width: WIDE, height, class: "profile-bar"});
  const track = svg("rect", {x, y: 0, width: WIDE, height: HIGH, class: "profile-track"});
  if (!(base && column.name in base)) return [track, bar];
  const y = Math.min(HIGH - 2, Math.max(0, HIGH - HIGH * share(column, base[column.name]) - 1));
  return [track, bar, svg("rect", {x: x - 1, y, width: WIDE + 2, height: 2, class: "profile-seed"})];
}

function titled(text) {
  const title = svg("title");
  title.textContent = text;
  return title;
}

function told(column, values, base) {
  const look = value => (column.name === "tempo" ? `${Math.round(value)} bpm` : `${Math.round(100 * value)}`);
  const seed = base && column.name in base ? ` (seed ${look(base[column.name])})` : "";
  return `${column.label} ${look(values[column.name])}${seed}`;
}
