/** The songs as points: where each lies, and the cluster that it belongs to. */

import {answered, ask, once, path} from "../core/api.js";
import {clusters} from "../core/catalogue.js";
import {remember} from "../core/songs.js";
import {indexed} from "./nearest.js";

export const SPAN = 65535; // the plane's side

/**
 * All points; asked for once, and once more after a failure.
 *
 * places : Uint16Array of x, y, x, y, ..., from the left and from the top; rows : what tells which song a point is
 * groups : clusters in the order of their ids, each with its run of points, first..end, its middle and its box
 */
export const points = once(async () => {
  const [{songs, sizes, rows, places}, all] = await Promise.all([fetched(), clusters()]);
  let end = 0;
  const groups = all.map((cluster, at) => {
    const first = end;
    end += sizes[at];
    return {...cluster, first, end, ...extent(places, first, end)};
  });
  return {songs, rows, places, groups, count: rows.length, nearest: indexed(places)};
});

/** The song that a point is. */
export async function songAt({rows}, point, signal) {
  const {songs} = await ask(path("songs", {rows: rows[point]}), {signal});
  remember(songs);
  return songs[0];
}

/** Where a song lies on the plane, as far as that is known. */
export const placeOf = song => (typeof song?.x === "number" ? [song.x, SPAN - song.y] : null);

/** The map, whose bytes the API's description explains. */
async function fetched() {
  const bytes = await (await answered("map")).arrayBuffer();
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

/** The middle of a cluster, and the box that holds nine of ten of its points each way; 0..1. */
function extent(places, first, end) {
  const sorted = [0, 1].map(axis => Uint16Array.from({length: end - first}, (_, at) => places[2 * (first + at) + axis]).sort());
  const [x, y] = sorted.map(values => part => (values[Math.floor(part * (values.length - 1))] ?? SPAN / 2) / SPAN);
  return {middle: [x(0.5), y(0.5)], box: {left: x(0.05), right: x(0.95), top: y(0.05), bottom: y(0.95)}};
}
