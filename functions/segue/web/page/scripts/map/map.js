/** The map of the catalogue: every song a point, clusters named, the songs that are shown lit. */

import {watchAnswers} from "../core/answers.js";
import {latest} from "../core/api.js";
import {button, el, find, icon} from "../core/dom.js";
import {details} from "../core/songs.js";
import {change, explore, now, watch} from "../core/store.js";
import {count as number, counted} from "../core/words.js";
import {ICONS} from "../parts/icons.js";
import {trouble} from "../parts/trouble.js";
import {WHOLE, around, dragged, zoomed} from "./camera.js";
import {Chart} from "./chart.js";
import {fly, land} from "./flight.js";
import {gestures} from "./gestures.js";
import {lit, way} from "./lit.js";
import {panel} from "./panel.js";
import {pointing} from "./pointing.js";
import {box, groupOf, points} from "./points.js";

const LARGER = 1.8;
const CLOSEST = 5; // times that the map is enlarged to show the lit songs
const TOOLS = {width: 64, height: 160}; // pixels of the corner where the buttons are
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
    const chart = new Chart(await points());
    lay(stage, chart);
    follow(chart);
  } catch (problem) {
    stage.replaceChildren(trouble(problem, {again: () => unfold(stage)}));
  }
}

function lay(stage, chart) {
  const {tip, point, press} = pointing(chart, ({id}) => explore(id));
  chart.covered = TOOLS;
  for (const [name, value] of Object.entries({tabindex: 0, role: "application", "aria-label": KEYS})) chart.top.setAttribute(name, value);
  const hand = camera => {
    land(chart);
    chart.look(camera);
  };
  gestures(chart.top, {
    drag: (right, down) => hand(dragged(chart.camera, chart.size, right, down)),
    zoom: (factor, x, y) => hand(zoomed(chart.camera, chart.size, factor, x, y)),
    done: () => rest(chart.camera),
    point, press,
  });
  stage.replaceChildren(el("div", {className: "chart"}, chart.canvases, tip, tools(chart)), el("p", {className: "stage-note"},
    `${told(chart.all)}, alike ones side by side. Press one to hear what follows.`));
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
  const songs = lit().map(({place}) => place), places = songs.length ? songs : way();
  return places.length ? around(box(places), CLOSEST) : WHOLE;
}

function tools(chart) {
  const zoom = factor => rest(zoomed(chart.camera, chart.size, factor));
  return el("p", {className: "tools"},
    button(icon(ICONS.add), () => zoom(LARGER), {label: "Enlarge"}),
    button(icon(ICONS.minus), () => zoom(1 / LARGER), {label: "Make smaller"}),
    button(icon(ICONS.whole), () => change({at: WHOLE, cluster: null}), {label: "Show the whole map"}));
}

/** How many songs the map has; past a number of points it has the best known. */
const told = ({count, songs}) => (count === songs ? counted(songs, "song") : `The ${number(count)} best known of ${counted(songs, "song")}`);

/** Keep in the address where the camera is. */
const rest = camera => change({at: camera}, {replace: true});

const same = (one, other) => one.every((part, place) => Math.abs(part - other[place]) < 1e-4);
