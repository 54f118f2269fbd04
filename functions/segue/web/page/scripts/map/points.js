/** The songs as points: where each lies, and the cluster that it belongs to. */

import {answered, ask, once, path} from "../core/api.js";
import {clusters, families} from "../core/catalogue.js";
import {remember} from "../core/songs.js";
import {hueOf} from "./colours.js";
import {indexed} from "./nearest.js";

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
export const placeOf = song => (typeof song?.x === "number" ? [song.x, SPAN - song.y] : null);

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
