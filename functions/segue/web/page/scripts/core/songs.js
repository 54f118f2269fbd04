/** What is known of songs: kept for as long as the page is open, and looked up by id where it is not. */

import {ask, path} from "./api.js";

const AT_ONCE = 100;
const known = new Map(); // id -> song, null where the catalogue has none
const records = new Map(); // id -> what the table says, while it is asked for
const lacking = new Set(); // names that no column of the table has

/** Keep what an answer says of songs. */
export function remember(songs) {
  for (const song of songs) known.set(song.id, {...known.get(song.id), ...song});
}

/** What is known of a song without asking; undefined where that is nothing. */
export const recall = id => known.get(id);

/** Songs by id with their years and features, in the order of the ids; null where the catalogue has none. */
export async function details(ids, signal) {
  const missing = [...new Set(ids)].filter(id => known.get(id) !== null && !known.get(id)?.features);
  for (let start = 0; start < missing.length; start += AT_ONCE) await fetched(missing.slice(start, start + AT_ONCE), signal);
  return ids.map(id => known.get(id) ?? null);
}

async function fetched(ids, signal) {
  const {songs} = await ask(path("songs", {ids: ids.join(",")}), {signal});
  songs.forEach((song, place) => known.set(ids[place], song && {...known.get(ids[place]), ...song}));
}

/** The first address that the table has for a song in a column whose name fits; null where it has none. */
export async function linkIn({id}, name) {
  if (lacking.has(name.source)) return null;
  if (!records.has(id)) records.set(id, ask(`songs/${encodeURIComponent(id)}`));
  const columns = Object.entries(await records.get(id).finally(() => records.delete(id))).filter(([column]) => name.test(column));
  if (!columns.length) lacking.add(name.source);
  return columns.map(([, value]) => value).find(value => /^https:\/\//.test(value)) ?? null;
}

/** So many of a list, from all of it. */
export const spread = (list, most) => (list.length <= most ? list : Array.from({length: most}, (_, place) => list[Math.floor(place * list.length / most)]));

/** The mean of each feature over songs, of those that have it; null where no song is given. */
export function mean(songs) {
  const sums = {};
  for (const song of songs) {
    for (const [name, value] of Object.entries(numbers(song))) (sums[name] ??= []).push(value);
  }
  const averaged = Object.entries(sums).map(([name, values]) => [name, values.reduce((sum, one) => sum + one, 0) / values.length]);
  return averaged.length ? Object.fromEntries(averaged) : null;
}

/** The numbers of a song that dials turn and profiles show; a tempo of 0 was not analysed. */
export function numbers(song) {
  const all = {...song.features, tempo: song.features?.tempo || null, year: song.year, popularity: song.popularity};
  return Object.fromEntries(Object.entries(all).filter(([, value]) => typeof value === "number"));
}
