/** The songs as points: where each lies, where the camera looks, and the canvases that show it. */

import {now} from "../state.js";
import {answered, ask, clusters, families, once, path, recall, remember} from "../service.js";
import {showing} from "../answers.js";
import {el} from "../elements.js";
import {colourOf, hueOf, labels, named, overlay, packed, plot, watchScheme} from "./drawing.js";

export const SPAN = 65535; // the plane's side

/** As many points as the whole map needs to be seen, of the same form as all points; asked for once, and once more after a failure. */
export const overview = once(() => grouped("low"));

/**
 * All points; the overview where it has all.
 *
 * places : Uint16Array of x, y, x, y, ..., from the left and from the top; rows : what tells which song a point is
 * groups : clusters in the order of /clusters, each with its run of points, first..end, its middle, its box, its hue and
 * its shade; families : each with those that are its clusters, and their middles
 */
export const points = once(async () => {
  const few = await overview();
  return few.count === few.songs ? few : grouped("full");
});

async function grouped(detail) {
  const [{songs, sizes, rows, places}, all, every] = await Promise.all([fetched(detail), clusters(), families()]);
  let end = 0;
  const runs = new Map(all.map((cluster, at) => {
    const first = end;
    end += sizes[at];
    return [cluster.id, {...cluster, first, end, ...extent(places, first, end)}];
  }));
  const coloured = every.map((family, place) => withMiddles({...family, clusters: family.clusters.map(({id}, at) =>
    Object.assign(runs.get(id), {hue: hueOf(place, every.length), shade: (at + 0.5) / family.clusters.length}))}));
  return {songs, rows, places, groups: [...runs.values()], families: coloured, count: rows.length, nearest: indexed(places)};
}

/** The group of a cluster; undefined where there is none, as an old address may have it. */
export const groupOf = ({groups}, id) => groups.find(group => group.id === id);

/** The song that a point is. */
export async function songAt({rows}, point, signal) {
  const {songs} = await ask(path("songs", {rows: rows[point]}), {signal});
  remember(songs);
  return songs[0];
}

/** Where a song lies on the plane, as far as that is known. */
const placeOf = song => (typeof song?.x === "number" ? [song.x, SPAN - song.y] : null);

/** The map, whose bytes the API's description explains. */
async function fetched(detail) {
  const bytes = await (await answered(path("map", {detail}))).arrayBuffer();
  const [, songs, count, clustered] = new Uint32Array(bytes, 0, 4);
  const sizes = new Uint32Array(bytes, 16, clustered), rows = new Uint32Array(bytes, 16 + 4 * clustered, count);
  const across = new Uint16Array(bytes, 16 + 4 * (clustered + count)), places = new Uint16Array(2 * count);
  for (let point = 0; point < count; point += 1) {
    places[2 * point] = across[point];
    places[2 * point + 1] = SPAN - across[count + point]; // canvases count from the top
  }
  return {songs, sizes, rows, places};
}

/** The box that holds some places; 0..1. */
export function box(places) {
  const [xs, ys] = [0, 1].map(axis => places.map(place => place[axis] / SPAN));
  return {left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys)};
}

/** The middle of a cluster, and the box, 0..1, that holds nine of ten of its points each way. */
function extent(places, first, end) {
  const sorted = [0, 1].map(axis => Uint16Array.from({length: end - first}, (_, at) => places[2 * (first + at) + axis]).sort());
  const [x, y] = sorted.map(values => part => values[Math.floor(part * (values.length - 1))] ?? SPAN / 2);
  return {middle: [x(0.5), y(0.5)], box: {left: x(0.05) / SPAN, right: x(0.95) / SPAN, top: y(0.05) / SPAN, bottom: y(0.95) / SPAN}};
}

/** A family with the middles of its clusters, first that to which the songs of the others are nearest. */
function withMiddles(family) {
  const gap = ([x, y]) => family.clusters.reduce((sum, {middle, size}) => sum + size * Math.hypot(middle[0] - x, middle[1] - y), 0);
  return {...family, middles: family.clusters.map(({middle}) => middle).sort((one, other) => gap(one) - gap(other))};
}

// --- the nearest point ---

const SIDE = 256; // fields of the grid each way
const FIELD = 65536 / SIDE; // units of a field's side

/**
 * An index of points.
 *
 * places : Uint16Array of x, y, x, y, ...
 * Returns nearest(x, y, reach): the number of the nearest point no farther away than `reach`, or -1.
 */
function indexed(places) {
  const starts = new Uint32Array(SIDE * SIDE + 1), order = new Uint32Array(places.length / 2);
  const field = at => Math.floor(places[at + 1] / FIELD) * SIDE + Math.floor(places[at] / FIELD);
  for (let at = 0; at < places.length; at += 2) starts[field(at) + 1] += 1;
  for (let one = 0; one < SIDE * SIDE; one += 1) starts[one + 1] += starts[one];
  const next = starts.slice(0, -1);
  for (let at = 0; at < places.length; at += 2) order[next[field(at)]++] = at / 2;
  return (x, y, reach) => nearest(x, y, reach, {places, starts, order});
}

function nearest(x, y, reach, {places, starts, order}) {
  const [left, right, top, bottom] = [x - reach, x + reach, y - reach, y + reach].map(clamped);
  let best = -1, least = reach * reach;
  for (let down = top; down <= bottom; down += 1) {
    for (let at = starts[down * SIDE + left]; at < starts[down * SIDE + right + 1]; at += 1) {
      const point = order[at], gap = (places[2 * point] - x) ** 2 + (places[2 * point + 1] - y) ** 2;
      if (gap <= least) [best, least] = [point, gap];
    }
  }
  return best;
}

const clamped = value => Math.min(SIDE - 1, Math.max(0, Math.floor(value / FIELD)));

// --- the camera ---

const FILLED = 0.94; // of the shorter side, by the whole plane

export const WHOLE = Object.freeze([0.5, 0.5, 1]);
const NEAREST = 400;

/** How a canvas shows the plane: x is drawn at left + scale * x, y at top + scale * y. */
export function view([x, y, zoom], {width, height}) {
  const scale = FILLED * Math.min(width, height) * zoom;
  return {scale, left: width / 2 - scale * x, top: height / 2 - scale * y};
}

/** The camera after the plane was dragged by some pixels. */
export function dragged([x, y, zoom], size, right, down) {
  const {scale} = view([x, y, zoom], size);
  return [bounded(x - right / scale, 0, 1), bounded(y - down / scale, 0, 1), zoom];
}

/** The camera that enlarges by a factor more, so that what is drawn at a pixel stays there. */
export function zoomed(at, size, factor, px = size.width / 2, py = size.height / 2) {
  const zoom = bounded(at[2] * factor, 1, NEAREST);
  const before = view(at, size), after = view([at[0], at[1], zoom], size);
  const u = (px - before.left) / before.scale, v = (py - before.top) / before.scale;
  return dragged([at[0], at[1], zoom], size, px - (after.left + after.scale * u), py - (after.top + after.scale * v));
}

/** The camera that shows a box, {left, top, right, bottom}, 0..1, and what lies around it. */
export function around({left, top, right, bottom}, closest = NEAREST) {
  const zoom = bounded(0.55 / Math.max(right - left, bottom - top, 0.01), 1, closest);
  return [(left + right) / 2, (top + bottom) / 2, zoom];
}

/** The camera at a part of the way, 0..1, from one to another. */
function between(from, to, part) {
  const zoom = from[2] * (to[2] / from[2]) ** part;
  const moved = Math.abs(to[2] - from[2]) < 1e-9 ? part : (1 / zoom - 1 / from[2]) / (1 / to[2] - 1 / from[2]);
  return [from[0] + (to[0] - from[0]) * moved, from[1] + (to[1] - from[1]) * moved, zoom];
}

const bounded = (value, from, to) => Math.min(to, Math.max(from, value));

// --- flights ---

const LONG = 450; // milliseconds
const still = matchMedia("(prefers-reduced-motion: reduce)");
const under = new WeakMap(); // chart -> the flight that it is on

/** Fly to a camera; another flight, or a hand, ends this one. */
export function fly(chart, to, {atOnce = false} = {}) {
  const from = chart.camera, began = performance.now(), flight = {};
  under.set(chart, flight);

  function step() {
    if (under.get(chart) !== flight) return;
    const part = atOnce || still.matches ? 1 : Math.min(1, (performance.now() - began) / LONG);
    chart.look(part < 1 ? between(from, to, 1 - (1 - part) ** 3) : to);
    if (part < 1) requestAnimationFrame(step);
  }

  step();
}

/** End a flight where it is. */
export const land = chart => under.delete(chart);

// --- the canvases ---

const DENSEST = 2; // pixels of a canvas to one of CSS
const PLAIN = 0.75, CHOSEN = 0.95, FADED = 0.28; // strengths of points

/** What is seen of all points; sizes and places on the canvas are in CSS pixels. */
export class Chart {
  #base = el("canvas", {"aria-hidden": "true"}); // the points; labels and lit songs are on top
  #context;
  #draw;
  #colours = [];
  #frame = 0;
  #ratio = 1;

  constructor(all) {
    this.all = all;
    this.top = el("canvas");
    this.canvases = [this.#base, this.top];
    this.camera = WHOLE;
    this.size = {width: 1, height: 1};
    this.onLook = () => {}; // is told when it looks elsewhere
    this.onDraw = () => {}; // is told when it draws other points
    this.pointed = -1; // the point that is pointed at
    this.named = []; // songs whose names are written, {place, name}
    this.loop = []; // corners of a loop round songs, on the plane
    this.written = []; // where labels are, {left, right, top, bottom, label}
    this.covered = {width: 0, height: 0}; // the corner at the right where something else stands
    this.#context = this.top.getContext("2d");
    this.#draw = plot(this.#base);
    for (const change of ["focus", "blur"]) this.top.addEventListener(change, () => this.redraw());
    watchScheme(() => this.recolour());
    document.fonts.ready.then(() => this.redraw());
    new ResizeObserver(() => this.resize()).observe(this.top);
    this.recolour();
  }

  /** Draw other points, of the same songs. */
  draw(all) {
    this.all = all;
    this.pointed = -1;
    this.recolour();
    this.onDraw();
  }

  /** Look at another place. */
  look(camera) {
    this.camera = camera;
    this.onLook();
    this.redraw();
  }

  /** Fill the place on the page. */
  resize() {
    this.size = {width: this.top.clientWidth || 1, height: this.top.clientHeight || 1};
    this.#ratio = Math.min(DENSEST, devicePixelRatio);
    for (const canvas of this.canvases) {
      canvas.width = Math.round(this.size.width * this.#ratio);
      canvas.height = Math.round(this.size.height * this.#ratio);
    }
    this.redraw();
  }

  /** Take the colours of the page, which may have turned dark. */
  recolour() {
    this.#colours = this.all.groups.map(group => packed(colourOf(group)));
    this.redraw();
  }

  /** Draw once before the next frame, however often this is called. */
  redraw() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#points();
      this.#over();
    });
  }

  /** Where a place of the plane is drawn. */
  at([x, y]) {
    const {left, top, scale} = view(this.camera, this.size);
    return [left + scale * x / SPAN, top + scale * y / SPAN];
  }

  /** What place of the plane is drawn at a pixel. */
  placeUnder(x, y) {
    const {left, top, scale} = view(this.camera, this.size), units = SPAN / scale;
    return [(x - left) * units, (y - top) * units];
  }

  /** The label that is written at a pixel; undefined where there is none. */
  labelAt(x, y) {
    return this.written.find(({left, right, top, bottom}) => x >= left && x <= right && y >= top && y <= bottom)?.label;
  }

  /** Where a point lies on the plane. */
  placeAt(point) {
    return [this.all.places[2 * point], this.all.places[2 * point + 1]];
  }

  /** The point that is drawn nearest to a pixel, or -1 where there is none within some pixels. */
  under(x, y, reach) {
    return this.all.nearest(...this.placeUnder(x, y), reach * SPAN / view(this.camera, this.size).scale);
  }

  #points() {
    const {left, top, scale} = view(this.camera, this.size), ratio = this.#ratio;
    this.#draw(this.all.places, this.#runs(), {
      view: {left: left * ratio, top: top * ratio, scale: scale * ratio / SPAN},
      radius: this.#radius() * ratio,
      paper: packed(named("--paper")),
    });
  }

  /** The clusters in the order in which they are drawn: one that is chosen is the last, and the others are faded. */
  #runs() {
    const {groups} = this.all, chosen = groupOf(this.all, now().cluster);
    const strength = group => (chosen ? group === chosen ? CHOSEN : FADED : PLAIN);
    const runs = groups.map((group, place) => ({...group, colour: this.#colours[place], strength: strength(group)}));
    return runs.sort((one, other) => (one.id === chosen?.id) - (other.id === chosen?.id));
  }

  /** Of a point: larger the nearer it is, smaller the more there are. */
  #radius() {
    return Math.min(5, Math.max(0.55, 1.1 * (20_000 / this.all.count) ** 0.25) * this.camera[2] ** 0.4);
  }

  #over() {
    this.#context.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
    const {left, top, scale} = view(this.camera, this.size), units = SPAN / scale;
    const box = {left: -left * units, top: -top * units, right: (this.size.width - left) * units, bottom: (this.size.height - top) * units};
    this.written = overlay(this.#context, {
      size: this.size, covered: this.covered, at: place => this.at(place),
      labels: labels(this.camera[2], this.all, groupOf(this.all, now().cluster), box),
      lit: lit(), way: way(), loop: this.loop, named: this.named, pointed: this.pointed < 0 ? null : this.placeAt(this.pointed),
      crossed: this.top.matches(":focus-visible"),
    });
  }
}

// --- what is lit ---

/** Seeds and the songs that follow, as far as it is known where they lie; seeds last, so that they are on top. */
export function lit() {
  const songs = (showing().answer?.recommendations ?? []).map(({id}) => id);
  const seeds = now().seeds.filter(({kind, less}) => kind === "song" && !less).map(({key}) => key);
  return [...songs.map(id => marker(id, false)), ...seeds.map(id => marker(id, true))].filter(({place}) => place);
}

const marker = (id, seed) => ({place: placeOf(recall(id)), name: recall(id)?.name, seed});

/** Where the playlist goes, from song to song: its stops, {place, name}. */
export const way = () => now().list.map(recall).filter(song => song && placeOf(song)).map(song => ({place: placeOf(song), name: song.name}));
