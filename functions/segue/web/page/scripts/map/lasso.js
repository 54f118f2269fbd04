/** A loop that is drawn round songs on the map, and what can be done with those inside. */

import {aborted, ask, latest, path} from "../core/api.js";
import {MOST_SEEDS} from "../core/address.js";
import {announce, button, el, find, icon} from "../core/dom.js";
import {remember, spread} from "../core/songs.js";
import {change} from "../core/store.js";
import {count, counted} from "../core/words.js";
import {ICONS} from "../parts/icons.js";
import {playAll} from "../parts/play.js";
import {takeAsPlaylist} from "../parts/question.js";
import {trouble} from "../parts/trouble.js";
import {songLines} from "../songs/lines.js";

const MOST = 100; // songs of a loop that are told
const CIRCLE = 24, RADIUS = 0.2; // corners of the loop round a press, and its radius as a part of the map's shorter side

/** The lasso of a chart: its button, the section that tells what is inside, and what hands do while it is on. */
export function lasso(chart) {
  const place = el("section", {className: "looped", "aria-label": "Songs in the loop", tabIndex: -1, hidden: true});
  const tool = button(icon(ICONS.lasso), () => turn(!drawing()), {label: "Draw a loop round songs", title: "Draw a loop round songs", "aria-pressed": "false"});
  const drawing = () => tool.getAttribute("aria-pressed") === "true", anew = latest();

  function turn(on) {
    tool.setAttribute("aria-pressed", String(on));
    chart.top.classList.toggle("looping", on);
    if (on) announce("Draw a loop round songs. Enter on the map takes those around its middle.");
    if (on) clear();
  }

  function clear() {
    anew();
    place.hidden = true;
    chart.loop = [];
    chart.redraw();
  }

  function draw(...corners) {
    chart.loop.push(...(chart.loop.length ? corners.slice(-1) : corners).map(([x, y]) => chart.placeUnder(x, y)));
    chart.redraw();
  }

  function around(x, y) {
    const {width, height} = chart.size, radius = RADIUS * Math.min(width, height);
    for (let part = 0; part < CIRCLE; part += 1) draw([x + radius * Math.cos(2 * Math.PI * part / CIRCLE), y + radius * Math.sin(2 * Math.PI * part / CIRCLE)]);
    return end();
  }

  /** The loop is closed: tell what is inside. */
  async function end() {
    const points = inside(chart.all.places, chart.loop), rows = spread(points, MOST).map(point => chart.all.rows[point]);
    turn(false);
    place.hidden = false;
    try {
      const {songs} = rows.length ? await ask(path("songs", {rows: rows.join(",")}), {signal: anew()}) : {songs: []};
      remember(songs);
      songs.sort((one, other) => (other.popularity ?? 0) - (one.popularity ?? 0));
      place.replaceChildren(...told(songs, points.length, () => { clear(); find("canvas[role]").focus(); }));
      announce(place.querySelector("h2").textContent);
      place.focus({preventScroll: matchMedia("(min-width: 60rem)").matches});
    } catch (problem) {
      if (!aborted(problem)) place.replaceChildren(trouble(problem, {again: end}));
    }
  }

  return {tool, place, drawing, draw, around, end};
}

function told(songs, all, close) {
  const ids = songs.map(({id}) => id), asked = el("div", {}), more = spread(ids, MOST_SEEDS).map(key => ({kind: "song", key, less: false}));
  return [
    el("div", {className: "told-head"}, el("h2", {}, `${counted(all, "song")} in the loop`), button("Close", close, {className: "quiet", label: "Close the loop"})),
    all > songs.length && el("p", {className: "small"}, `${count(songs.length)} of them, from all over it.`),
    songs.length > 0 && el("p", {className: "actions"}, playAll(songs, {"data-key": "play loop"}),
      button("Into the playlist", () => takeAsPlaylist(ids, asked), {"data-key": "keep loop"}),
      button("More like these", () => change({seeds: more, cluster: null}))),
    asked,
    el("ol", {className: "lines"}, songLines(songs, "loop")),
  ].filter(Boolean);
}

/** The points inside a polygon: those from which a ray crosses its edges an odd number of times. */
function inside(places, corners) {
  const found = [], [left, right] = ends(corners, 0), [top, bottom] = ends(corners, 1);
  for (let at = 0; at < places.length; at += 2) {
    const x = places[at], y = places[at + 1];
    if (x < left || x > right || y < top || y > bottom) continue;
    if (corners.reduce((odd, corner, place) => odd !== crosses([x, y], corner, corners.at(place - 1)), false)) found.push(at / 2);
  }
  return found;
}

const ends = (corners, axis) => [Math.min, Math.max].map(best => best(...corners.map(corner => corner[axis])));
const crosses = ([x, y], [x1, y1], [x2, y2]) => (y1 > y) !== (y2 > y) && x < (x2 - x1) * (y - y1) / (y2 - y1) + x1;
