/** Examples of the API's description, told with songs of the catalogue that is served. */

import {ask, path} from "../core/api.js";
import {attributes, clusters} from "../core/catalogue.js";

const SONGS = [["demo-0000033", "Anchor", "Rosalind & the Records"], ["demo-0000077", "", "Idle Heron"]]; // of the examples: ids, titles, artists
const GENRES = ["jazz", "trance", "ambient", "opera"];
const CLUSTER = 3;
const NUMBERS = ["filters", "targets", "features"]; // objects whose fields are numbers of songs

/** A function that turns an example into one that this catalogue answers; it changes nothing where it answers it as it is. */
export async function served() {
  const {songs: own} = await ask(path("songs", {ids: SONGS.map(([id]) => id).join(",")}));
  if (own.every(Boolean)) return value => value;
  const [all, {genres}, numbers] = await Promise.all([clusters(), ask("genres"), attributes()]);
  const known = all.map(({typical}) => typical.find(({artists}) => artists.length)).filter(Boolean), songs = [known[0], known.at(-1)];
  const {songs: [{explicit}]} = await ask(path("songs", {ids: songs[0].id}));
  const words = new Map(SONGS.flatMap(([id, title, artist], place) => [[id, songs[place].id], [title, songs[place].name], [artist, songs[place].artists[0]]]));
  for (const text of ["anchor", "ancor"]) words.set(text, songs[0].name);
  words.set("anchor rosalind", `${songs[0].name} ${songs[0].artists[0]}`);
  const largest = [...genres].sort((one, other) => other.songs - one.songs).map(({name}) => name);
  GENRES.forEach((genre, place) => words.set(genre, largest[place % largest.length]));
  const has = name => numbers.has(name) || (name === "explicit" && explicit !== null) || /genres/.test(name) && largest.length > 1;

  function told(value, name = "") {
    if (typeof value === "string") return words.get(value) ?? value.split(",").map(part => words.get(part) ?? part).join(",");
    if (value === CLUSTER && ["cluster", "id"].includes(name)) return all[0].id;
    if (Array.isArray(value)) return [...new Set(value.map(one => told(one, name)))];
    if (value === null || typeof value !== "object") return value;
    const entries = Object.entries(value).filter(([key]) => !NUMBERS.includes(name) || has(key));
    return Object.fromEntries(entries.map(([key, one]) => [key, told(one, key)]));
  }

  return told;
}
