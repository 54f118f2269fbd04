/**
 * What the page shows, written into its address: everything after the #, which browsers keep to themselves, so that a
 * long playlist is no longer than a server's limit.
 *
 *     #song=4uLU6hMCjMI75M1A2tKUQC&-genre=metal&energy=0.8&years=1990-&only=jazz&never=Idle+Heron&list=a,b,c
 */

import {DIALS, RANGES} from "./dials.js";

export const KINDS = ["song", "artist", "genre"];
export const VIEWS = ["songs", "map", "playlist"];
export const MOST_SEEDS = 20;
export const MOST_LISTED = 200; // songs of a playlist
const MOST_SHARED = 50; // songs of a playlist whose address previews can read
export const PAGE = 10; // recommendations at a time
const ID = /^[A-Za-z0-9_.:-]{1,64}$/;
const LONGEST = 600; // characters of an artist or a genre
export const LONGEST_NAME = 80; // characters of a playlist's name

/** The page as it opens. */
export const EMPTY = Object.freeze({
  seeds: [], targets: {}, diversity: 0, most: 2, years: [], tempos: [], only: [], without: [], never: [], clean: false, draw: 0, limit: PAGE,
  view: "songs", list: [], name: "", cluster: null, at: null,
});

/** What shapes a list that begins from the same seeds. */
export const SHAPE = ["targets", "diversity", "most", "years", "tempos", "only", "without", "clean", "draw"];

/** What the part of an address after # says; whatever it can't say is passed over. */
export function read(fragment) {
  const given = new URLSearchParams(fragment.replace(/^#/, ""));
  const number = (name, from, to) => bounded(given.get(name), from, to);
  const targets = DIALS.map(({name, from, to}) => [name, number(name, from, to)]).filter(([, value]) => value !== null);
  return {
    seeds: [...given].map(seed).filter(Boolean).slice(0, MOST_SEEDS),
    targets: Object.fromEntries(targets),
    diversity: number("diversity", 0, 1) ?? 0,
    most: Math.round(number("most", 0, 100) ?? EMPTY.most),
    ...Object.fromEntries(RANGES.map(({name, from, to}) => [name, range(given.get(name), from, to)])),
    ...Object.fromEntries(["only", "without", "never"].map(name => [name, [...new Set(given.getAll(name).filter(named))]])),
    clean: given.get("clean") === "1",
    draw: Math.round(number("draw", 0, 2 ** 31 - 1) ?? 0),
    limit: Math.round(number("limit", PAGE, 100) ?? PAGE),
    view: VIEWS.includes(given.get("view")) ? given.get("view") : "songs",
    list: [...new Set((given.get("list") ?? "").split(","))].filter(id => ID.test(id)).slice(0, MOST_LISTED),
    name: (given.get("name") ?? "").trim().slice(0, LONGEST_NAME),
    cluster: /^\d{1,6}$/.test(given.get("cluster") ?? "") ? Number(given.get("cluster")) : null,
    at: camera(given.get("at")),
  };
}

/** The fragment that reads as a state; what is as the page opens is left out. */
export function write(state) {
  const said = new URLSearchParams();
  for (const {kind, key, less} of state.seeds) said.append((less ? "-" : "") + kind, key);
  for (const {name} of DIALS) if (name in state.targets) said.set(name, String(state.targets[name]));
  for (const name of ["diversity", "draw"]) if (state[name]) said.set(name, String(state[name]));
  if (state.limit !== PAGE) said.set("limit", String(state.limit));
  if (state.most !== EMPTY.most) said.set("most", String(state.most));
  for (const {name} of RANGES) if (state[name].length) said.set(name, state[name].map(end => end ?? "").join("-"));
  for (const name of ["only", "without", "never"]) for (const one of state[name]) said.append(name, one);
  if (state.clean) said.set("clean", "1");
  if (state.view !== "songs") said.set("view", state.view);
  if (state.cluster !== null) said.set("cluster", String(state.cluster));
  if (state.at) said.set("at", state.at.map(part => String(Number(part.toFixed(4)))).join(","));
  if (state.name) said.set("name", state.name);
  if (state.list.length) said.set("list", state.list.join(","));
  const fragment = said.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
  return fragment && `#${fragment}`;
}

/** The address of a state for other people: one that previews can read, where there is one, else the page's own. */
export function shared(state) {
  const {seeds: [seed, ...others], view, list, name} = state, named = name ? `?name=${encodeURIComponent(name)}` : "";
  if (list.length && list.length <= MOST_SHARED && (view === "playlist" || (view === "map" && !seed))) return `s/${view === "map" ? "walk" : "list"}/${list.join(",")}${named}`;
  const plain = seed && write({...EMPTY, seeds: [seed], list}) === write({...state, at: null});
  return seed?.kind === "song" && !others.length && plain ? `s/song/${seed.key}` : `./${write(state)}`;
}

const named = text => text.trim() !== "" && text.length <= LONGEST;

function seed([name, key]) {
  const less = name.startsWith("-"), kind = less ? name.slice(1) : name;
  const sound = KINDS.includes(kind) && (kind === "song" ? ID.test(key) : named(key));
  return sound ? {kind, key, less} : null;
}

function bounded(text, from, to) {
  const number = text === null || text.trim() === "" ? NaN : Number(text);
  return Number.isFinite(number) ? Math.min(to, Math.max(from, number)) : null;
}

/** `1990-2005`, `1990-` or `-2005`: both ends, null where one is open; empty where it says neither. */
function range(text, from, to) {
  const ends = (text ?? "").split("-").map(end => bounded(end, from, to));
  return ends.length === 2 && ends.some(end => end !== null) && (ends[0] ?? from) <= (ends[1] ?? to) ? ends : [];
}

/** Where the map is looked at: the middle, 0..1 each, and how many times it is enlarged. */
function camera(text) {
  const [x, y, zoom, ...more] = (text ?? "").split(",");
  const parts = [bounded(x ?? null, 0, 1), bounded(y ?? null, 0, 1), bounded(zoom ?? null, 1, 400)];
  return more.length || parts.includes(null) ? null : parts;
}
