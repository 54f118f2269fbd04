/** The map of the catalogue: every song a point, clusters named, the songs that are shown lit. */

import {watchAnswers} from "../core/answers.js";
import {latest} from "../core/api.js";
import {button, el, find, icon} from "../core/dom.js";
import {details} from "../core/songs.js";
import {change, explore, now, watch} from "../core/store.js";
import {count as number, counted} from "../core/words.js";
import {ICONS} from "../parts/icons.js";
import {linkButton} from "../parts/link.js";
import {trouble} from "../parts/trouble.js";
import {WHOLE, around, dragged, zoomed} from "./camera.js";
import {Chart} from "./chart.js";
import {fly, land} from "./flight.js";
import {gestures} from "./gestures.js";
import {lasso} from "./lasso.js";
import {lit, way} from "./lit.js";
import {naming} from "./names.js";
import {panel} from "./panel.js";
import {pointing} from "./pointing.js";
import {box, groupOf, overview, points} from "./points.js";

const LARGER = 1.8;
const PARTED = 1.6; // times that the map is enlarged at least, to see the clusters of a family
const CLOSEST = 5; // times that the map is enlarged to show the lit songs
const TOOLS = {width: 64, height: 208}; // pixels of the corner where the buttons are
const KEYS = "Map of the songs. Arrows move it, plus and minus enlarge it, Enter takes the song in its middle.";

/** Show the map in its view. */
export function showMap() {
  const stage = el("section", {className: "stage", "aria-label": "Map of the songs"});
  find("#view-map").replaceChildren(el("div", {className: "map"}, stage, panel()));
  return unfold(stage);
}

async function unfold(stage) {
  stage.replaceChildren(el("p", {className: "stage-said"}, "Unfolding the map …"));
  try {
    const chart = new Chart(await overview());
    const note = lay(stage, chart);
    follow(chart);
    chart.draw(await points().catch(() => chart.all)); // which shows the best known
    note.textContent = told(chart.all);
    chart.onLook();
  } catch (problem) {
    stage.replaceChildren(trouble(problem, {again: () => unfold(stage)}));
  }
}

function lay(stage, chart) {
  const {tip, point, press, cross} = pointing(chart, {song: ({id}) => explore(id), label: lead});
  const name = naming(chart);
  chart.covered = TOOLS;
  for (const [name, value] of Object.entries({tabindex: 0, role: "application", "aria-label": KEYS})) chart.top.setAttribute(name, value);
  const hand = camera => {
    land(chart);
    chart.look(camera);
  };
  const loop = lasso(chart);
  gestures(chart.top, {
    drag: (right, down, at) => (loop.drawing() ? loop.draw([at[0] - right, at[1] - down], at) : hand(dragged(chart.camera, chart.size, right, down))),
    drawing: loop.drawing,
    zoom: (factor, x, y) => hand(zoomed(chart.camera, chart.size, factor, x, y)),
    done: () => (loop.drawing() && chart.loop.length ? loop.end() : rest(chart.camera)),
    press: (x, y, how) => (loop.drawing() ? loop.around(x, y) : press(x, y, how)),
    point, cross,
  });
  chart.onLook = name;
  const note = el("span", {}, counted(chart.all.songs, "song")); // until all points are there
  stage.replaceChildren(el("div", {className: "chart"}, chart.canvases, tip, tools(chart, loop.tool)), el("div", {className: "stage-note"},
    el("p", {}, note, ", alike ones side by side. Press one to hear what follows.",
      el("span", {className: "by-touch"}, " Two fingers move the map; so does one, once it was pressed.")), linkButton()));
  find(".beside").prepend(loop.place);
  return note;
}

function follow(chart) {
  const anew = latest();
  watchAnswers(() => aim(chart, now()));
  watch((state, before) => {
    aim(chart, state, {atOnce: before?.view !== "map"});
    if (state.list !== before?.list) details(state.list, anew()).then(() => aim(chart, now()), () => {}); // its own view tells what is wrong
  });
}

function aim(chart, state, how) {
  const camera = aimed(state, chart.all);
  if (same(camera, chart.camera)) chart.redraw();
  else fly(chart, camera, how);
}

/** Where the state looks: where somebody has moved to, else at the cluster that is chosen, the lit songs or the playlist. */
function aimed({at, cluster}, all) {
  const chosen = groupOf(all, cluster);
  if (at) return at;
  if (chosen) return around(chosen.box);
  const places = [lit(), way()].find(songs => songs.length)?.map(({place}) => place) ?? [];
  return places.length ? around(box(places), CLOSEST) : WHOLE;
}

/** A label leads to its cluster, that of a family to where its clusters are. */
function lead({members}) {
  if (members.length === 1) return change({cluster: members[0].id, at: null});
  const boxes = members.map(({box: one}) => one), side = (name, best) => best(...boxes.map(one => one[name]));
  const [x, y, zoom] = around({left: side("left", Math.min), right: side("right", Math.max), top: side("top", Math.min), bottom: side("bottom", Math.max)});
  return change({at: [x, y, Math.max(zoom, PARTED)], cluster: null});
}

function tools(chart, ...more) {
  const zoom = factor => rest(zoomed(chart.camera, chart.size, factor));
  return el("p", {className: "tools"},
    button(icon(ICONS.add), () => zoom(LARGER), {label: "Enlarge"}),
    button(icon(ICONS.minus), () => zoom(1 / LARGER), {label: "Make smaller"}),
    button(icon(ICONS.whole), () => change({at: WHOLE, cluster: null}), {label: "Show the whole map"}), more);
}

/** How many songs the map has; past a number of points it has the best known. */
const told = ({count, songs}) => (count === songs ? counted(songs, "song") : `The ${number(count)} best known of ${counted(songs, "song")}`);

/** Keep in the address where the camera is. */
const rest = camera => change({at: camera}, {replace: true});

const same = (one, other) => one.every((part, place) => Math.abs(part - other[place]) < 1e-4);
