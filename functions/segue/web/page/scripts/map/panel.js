/** Beside the map: the songs that are lit on it, the cluster that is chosen, all clusters, and what a loop holds. */

import {change, DIALS, EMPTY, MOST_SEEDS, now, PROFILE, share, watch, write} from "../state.js";
import {aborted, ask, clusterOf, details, families, latest, path, recall, remember, songsOf, spread} from "../service.js";
import {again, nameOf, showing, watchAnswers, watchNames} from "../answers.js";
import {announce, button, count, counted, el, find, icon, ICONS, keepingFocus, listed, trouble, untagged} from "../elements.js";
import {playAll, takeAsPlaylist} from "../controls.js";
import {seedHead, songLines} from "../songs.js";
import {colourOf, hueOf, watchScheme} from "./drawing.js";

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
  if (id === now().cluster) place.replaceChildren(...(cluster ? clusterTold(cluster, await families()) : [el("p", {}, "This catalogue has no such cluster.")]));
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

// --- one cluster ---

const PAGE = 20; // songs at a time
const TOLD = 0.1; // mean rank above or below the middle of the catalogue, from which it is put into words
const DIFFERENT = { // what has less of a number than the catalogue is, and what has more
  energy: ["calmer", "more energetic"], valence: ["sadder", "happier"], danceability: ["less danceable", "more danceable"],
  acousticness: ["more electric", "more acoustic"], instrumentalness: ["more often sung", "more instrumental"], tempo: ["slower", "faster"],
  loudness: ["quieter", "louder"], speechiness: ["less spoken", "more spoken"], liveness: ["less live", "more live"],
  duration_ms: ["shorter", "longer"], year: ["older", "newer"], popularity: ["less known", "better known"],
};
const MEANS = [...PROFILE, ...DIALS.filter(({name}) => name === "year" || name === "popularity")];

/** The address of a cluster on the map, from where one is. */
export const linkTo = id => write({...now(), view: "map", cluster: id, at: EMPTY.at});

/** What is told of a cluster; `families` are those of the catalogue. */
function clusterTold(cluster, families) {
  const family = families.find(({id}) => id === cluster.family);
  const songs = el("ol", {className: "lines"}), foot = el("div", {className: "below"});
  const list = el("details", {ontoggle: () => list.open && !songs.children.length && more(cluster, songs, foot)},
    el("summary", {}, `All ${counted(cluster.size, "song")}`), songs, foot);
  return [
    el("div", {className: "told-head"}, el("h2", {}, cluster.name),
      button("Close", () => change({cluster: null, at: null}), {className: "quiet", label: `Close ${cluster.name}`})),
    el("p", {className: "soft"}, `In the family ${family.name}`),
    cluster.genres.length > 0 && el("h3", {}, "Genres"),
    cluster.genres.length > 0 && genres(cluster),
    el("h3", {}, "How it sounds"),
    el("p", {className: "different"}, different(cluster)),
    sound(cluster),
    el("h3", {}, "Well-known songs"),
    el("ol", {className: "lines"}, songLines(cluster.typical, "typical")),
    el("h3", {}, "Near it"),
    el("ul", {className: "nears"}, cluster.near.map(({id, name}) => el("li", {}, el("a", {href: linkTo(id)}, name)))),
    list,
  ].filter(Boolean);
}

/** Which share of the songs has each genre; one may have several. */
function genres({genres: all}) {
  return el("dl", {className: "sound genres"}, all.map(({name, share: part}) => measure(name, part, `${Math.round(100 * part)} %`)));
}

/** How the songs differ from the catalogue, the largest difference first. */
function different({differences}) {
  const large = Object.entries(differences).filter(([name, value]) => name in DIFFERENT && Math.abs(value) >= TOLD)
    .sort(([, one], [, other]) => Math.abs(other) - Math.abs(one));
  const words = large.map(([name, value]) => DIFFERENT[name][value > 0 ? 1 : 0]);
  return words.length ? `Than the catalogue: ${listed(words)}.` : "Much as the catalogue does.";
}

/** The means of a cluster's songs. */
function sound({features}) {
  return el("dl", {className: "sound"}, MEANS.filter(({name}) => name in features)
    .map(one => measure(one.label.toLowerCase(), share(one, features[one.name]), look(one, features[one.name]))));
}

/** A number with its name and a bar of a length 0..1. */
function measure(name, length, text) {
  const bar = el("span", {className: "sound-bar", "aria-hidden": "true"});
  bar.style.setProperty("--share", String(length));
  return el("div", {}, el("dt", {}, name), bar, el("dd", {}, text));
}

const look = ({name}, value) => DIALS.find(dial => dial.name === name)?.look(value) ?? `${Math.round(100 * value)} %`;

async function more(cluster, songs, foot) {
  foot.replaceChildren(el("p", {className: "small"}, "Looking …"));
  try {
    const found = await songsOf(cluster.id, songs.children.length, PAGE);
    remember(found);
    songs.append(...songLines(found, "all"));
    foot.replaceChildren(...(songs.children.length < cluster.size ? [button("More songs", () => more(cluster, songs, foot))] : []));
  } catch (problem) {
    foot.replaceChildren(trouble(problem, {again: () => more(cluster, songs, foot)}));
  }
}

// --- a loop ---

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
      place.replaceChildren(...loopTold(songs, points.length, () => { clear(); find("canvas[role]").focus(); }));
      announce(place.querySelector("h2").textContent);
      place.focus({preventScroll: matchMedia("(min-width: 60rem)").matches});
    } catch (problem) {
      if (!aborted(problem)) place.replaceChildren(trouble(problem, {again: end}));
    }
  }

  return {tool, place, drawing, draw, around, end};
}

function loopTold(songs, all, close) {
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
