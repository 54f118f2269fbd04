/** What the page shows: read from its address, changed in one place, asked of the service. */

const KINDS = ["song", "artist", "genre"];
const VIEWS = ["songs", "map", "playlist"];
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
function read(fragment) {
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

// --- what can be turned ---

const percent = value => `${Math.round(100 * value)} %`;

/** `look` is how a value is written, `from` and `to` the ends of the slider in the unit of the API. */
export const DIALS = [
  {name: "energy", label: "Energy", from: 0, to: 1, step: 0.01, ends: ["calm", "loud"], look: percent},
  {name: "valence", label: "Mood", from: 0, to: 1, step: 0.01, ends: ["sad", "happy"], look: percent},
  {name: "tempo", label: "Tempo", from: 50, to: 200, step: 1, ends: ["slow", "fast"], look: value => `${Math.round(value)} bpm`},
  {name: "acousticness", label: "Acoustic", from: 0, to: 1, step: 0.01, ends: ["electric", "acoustic"], look: percent},
  {name: "popularity", label: "Popularity", from: 0, to: 100, step: 1, ends: ["obscure", "famous"], look: value => `${Math.round(value)}`},
  {name: "year", label: "Year", from: 1950, to: new Date().getFullYear(), step: 1, ends: ["older", "newer"], look: value => `${Math.round(value)}`},
];

/** What songs may be narrowed to, each by two sliders: `name` in the state, `filter` in the API; an end at its limit is open. */
export const RANGES = [
  {name: "years", filter: "year", label: "Released", from: 1950, to: new Date().getFullYear(), step: 1, unit: ""},
  {name: "tempos", filter: "tempo", label: "Beats per minute", from: 50, to: 200, step: 1, unit: " bpm"},
];

/** The columns of a song's profile. */
export const PROFILE = [
  {name: "energy", label: "energy", from: 0, to: 1},
  {name: "valence", label: "mood", from: 0, to: 1},
  {name: "danceability", label: "danceable", from: 0, to: 1},
  {name: "acousticness", label: "acoustic", from: 0, to: 1},
  {name: "instrumentalness", label: "instrumental", from: 0, to: 1},
  {name: "tempo", label: "tempo", from: 50, to: 200},
];

/** Where a value lies between the ends of a dial, 0..1. */
export function share({from, to}, value) {
  return Math.min(1, Math.max(0, (value - from) / (to - from)));
}

// --- the state ---

const listeners = [];
let state = read(location.hash);

/** What the page shows now; only `change` changes it. */
export const now = () => state;

/** Call a function with the state and the one before, at once and after each change. */
export function watch(listener) {
  listeners.push(listener);
  listener(state, null);
}

/**
 * Change some of the state. Back leads to what was shown before, unless the address is replaced: a slider that is
 * dragged leaves one step behind, not a hundred.
 */
export function change(some, {replace = false} = {}) {
  const next = {...state, ...some};
  const address = location.pathname + location.search + write(next);
  if (replace || write(next) === write(state)) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  move(next);
}

/** Begin anew from seeds; artists that are never wanted stay out, and the playlist stays. */
export function start(seeds, {replace = false, targets = EMPTY.targets, view = EMPTY.view} = {}) {
  const {never, clean, list, name} = state;
  change({...EMPTY, seeds, targets, never, clean, list, name, view}, {replace});
}

/** Begin anew from a song, in the view and at the place of the map where one is. */
export function explore(id) {
  change({seeds: [{kind: "song", key: id, less: false}], draw: EMPTY.draw, limit: EMPTY.limit});
}

function move(next) {
  const before = state;
  state = next;
  for (const listener of listeners) listener(state, before);
}

addEventListener("popstate", () => move(read(location.hash)));

// --- requests ---

const INDENT = "    ";

/** The body of POST /recommend that answers a state. */
export function recommendation(state) {
  return {
    seeds: seeds(state),
    limit: state.limit,
    ...(Object.keys(state.targets).length && {targets: state.targets}),
    ...filters(state),
    ...(state.diversity && {diversity: state.diversity}),
    ...(state.most !== EMPTY.most && {max_per_artist: state.most || null}),
    ...(state.draw && {draw: state.draw}),
    explain: true,
  };
}

/** The seeds of a state as the API takes them; `less` is a weight below 0. */
export function seeds(state) {
  return state.seeds.map(({kind, key, less}) => ({[kind === "song" ? "id" : kind]: key, ...(less && {weight: -1})}));
}

/** The body of POST /continue after songs of a radio, by id, of which some were skipped. */
export function following(ids, skipped, limit, state) {
  const liked = ids.filter(id => !skipped.includes(id)), played = liked.length ? liked : ids.slice(0, 1);
  return {played, skipped: skipped.filter(id => !played.includes(id)), limit, ...filters(state)};
}

function filters({never, clean, only, without, ...state}) {
  const all = {
    ...Object.fromEntries(RANGES.filter(({name}) => state[name].length).map(({name, filter}) => [filter, state[name]])),
    ...(only.length && {genres: only}), ...(without.length && {exclude_genres: without}),
    ...(never.length && {exclude_artists: never}), ...(clean && {explicit: false}),
  };
  return Object.keys(all).length > 0 && {filters: all};
}

/** The address of a path of the service, for other programs. */
export const absolute = address => new URL(address, document.baseURI).href;

/** A request as a command for a shell. */
export function curl(address, body) {
  const command = `curl ${quoted(absolute(address))}`;
  if (body === undefined) return command;
  return `${command} \\\n  ${isForm(body) ? `--data ${quoted(String(body))}` : `--json ${quoted(JSON.stringify(body))}`}`;
}

/** A request as Python. */
export function python(address, body) {
  const url = JSON.stringify(absolute(address));
  const sent = () => isForm(body) ? `data=${literal(Object.fromEntries(body), INDENT)}` : `json=${literal(body, INDENT)}`;
  const call = body === undefined ? `requests.get(${url})` : `requests.post(\n${INDENT}${url},\n${INDENT}${sent()},\n)`;
  return `import requests\n\nanswer = ${call}\nprint(answer.json())`;
}

const isForm = body => body instanceof URLSearchParams;
const quoted = text => `'${text.replaceAll("'", "'\\''")}'`;

function literal(value, indent) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(one => literal(one, indent)).join(", ")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  const inner = indent + INDENT;
  const entries = Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}: ${literal(one, inner)}`);
  const short = `{${entries.join(", ")}}`;
  return short.length < 72 ? short : `{\n${entries.map(entry => `${inner}${entry},\n`).join("")}${indent}}`;
}
