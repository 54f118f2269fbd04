/** Beside the map: the songs that are lit on it, the cluster that is chosen, and all clusters to choose from. */

import {again, showing, watchAnswers} from "../core/answers.js";
import {clusterOf, families} from "../core/catalogue.js";
import {el, keepingFocus} from "../core/dom.js";
import {nameOf, watchNames} from "../core/names.js";
import {write} from "../core/address.js";
import {details, recall} from "../core/songs.js";
import {now, watch} from "../core/store.js";
import {count, counted, listed, untagged} from "../core/words.js";
import {playAll} from "../parts/play.js";
import {trouble} from "../parts/trouble.js";
import {linkTo, told} from "./cluster.js";
import {colourOf, hueOf, watchScheme} from "./colours.js";
import {songLines} from "../songs/lines.js";
import {seedHead} from "../songs/seed.js";

/** The panel; it is kept as the state wants it. */
export function panel() {
  const songs = el("section", {className: "lit", "aria-label": "Songs on the map"});
  const chosen = el("section", {className: "told", "aria-label": "Cluster", hidden: true});
  const all = el("section", {className: "clusters", "aria-labelledby": "clusters-title"});
  const light = () => keepingFocus(songs, () => {
    songs.replaceChildren(...lit());
    songs.hidden = !awaited();
    songs.style.setProperty("--lines", awaited());
  });
  watchAnswers(light);
  watchNames(light);
  watch((state, before) => {
    if (state.list !== before?.list || state.seeds !== before?.seeds) light();
    if (state.list !== before?.list) details(state.list).then(light, () => {}); // its own view tells what is wrong
    if (state.cluster !== before?.cluster) choose(chosen, state.cluster);
    mark(all, state);
  });
  list(all);
  return el("div", {className: "beside"}, songs, chosen, all);
}

/** How many songs are lit once they are known. */
const awaited = () => (now().seeds.length ? now().limit : now().list.length);

/** The songs that are lit; nothing before anything was asked for. */
function lit() {
  const {answer, problem, busy} = showing(), {seeds} = now();
  if (!seeds.length) return playlist();
  const liked = seeds.filter(({less}) => !less).map(nameOf).map(untagged);
  const found = answer && !problem ? answer.recommendations : [];
  return [
    found.length > 0 && seedHead(),
    el("h2", {}, liked.length ? `Songs like ${listed(liked)}` : "Songs"),
    problem && trouble(problem, {again}),
    busy && !answer && el("p", {className: "small"}, "Looking …"),
    found.length > 0 && el("p", {className: "actions"}, playAll(found, {"data-key": "play lit"})),
    el("ol", {className: "lines"}, songLines(found, "lit")),
    el("p", {}, el("a", {href: write({...now(), view: "songs"})}, "Why these, and shape them")),
  ].filter(Boolean);
}

/** The playlist, whose stops are numbered on the map. */
function playlist() {
  const songs = now().list.map(recall).filter(Boolean);
  return songs.length ? [el("h2", {}, counted(songs.length, "stop")), el("p", {className: "actions"}, playAll(songs, {"data-key": "play lit"})),
    el("ol", {className: "lines numbered"}, songLines(songs, "stop"))] : [];
}

async function choose(place, id) {
  place.hidden = id === null;
  place.replaceChildren();
  if (id === null) return;
  const cluster = await clusterOf(id).catch(() => undefined);
  if (id === now().cluster) place.replaceChildren(...(cluster ? told(cluster, await families()) : [el("p", {}, "This catalogue has no such cluster.")]));
}

async function list(place) {
  try {
    const all = await families(), number = all.reduce((sum, family) => sum + family.clusters.length, 0);
    place.replaceChildren(el("h2", {id: "clusters-title"}, counted(number, "cluster")), ...all.flatMap((family, at) => [
      el("h3", {}, swatch({hue: hueOf(at, all.length)}), family.name),
      el("ul", {}, family.clusters.map(({id, name, size}) => el("li", {},
        el("a", {href: "#", data: {cluster: String(id)}}, name), el("span", {className: "soft"}, count(size))))),
    ]));
    mark(place, now());
  } catch (problem) {
    place.replaceChildren(trouble(problem, {again: () => list(place)}));
  }
}

/** A dot in the colour of a family, which follows the scheme of the page. */
function swatch(colour) {
  const dot = el("span", {className: "swatch", "aria-hidden": "true"});
  const paint = () => dot.style.setProperty("--colour", colourOf(colour));
  watchScheme(paint);
  paint();
  return dot;
}

/** Have the links of all clusters lead on from the state, and say which is chosen. */
function mark(place, {cluster}) {
  for (const link of place.querySelectorAll("[data-cluster]")) {
    const id = Number(link.dataset.cluster);
    link.href = linkTo(id);
    if (id === cluster) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}
