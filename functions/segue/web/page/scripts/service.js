/** Asking the service, and what is known from its answers: songs and the catalogue. */

const KEPT_KEY = "segue.key"; // in this browser, for as long as the window is open
const PATIENCE = 700; // milliseconds after which a wait is told
const PASSING = new Set([0, 429, 502, 503, 504]); // statuses of what passes by itself
const SHORTEST = 4, LONGEST = 60; // seconds before it is asked again where the service does not say
const waiting = new Set(); // when each request that is under way began
const waitListeners = [];
let failures = 0; // in a row
let ticking = 0, asking = null, locked;
const asker = new Promise(resolve => { locked = resolve; });

/** What went wrong, in words: of a problem document (RFC 9457), or of the way to the service. */
class Problem extends Error {
  constructor({detail, errors = [], suggestions = []}, status = 0, wait = null) {
    super(detail);
    this.status = status;
    this.wait = PASSING.has(status) ? wait ?? Math.min(LONGEST, SHORTEST * 2 ** failures++) : null; // seconds until it is worth asking again
    this.faults = errors.map(fault => fault.detail).filter(fault => fault !== detail);
    this.pointers = errors.map(fault => fault.pointer);
    this.suggestions = suggestions;
  }

  /** Whether the service was not reached at all. */
  get unreached() {
    return this.status === 0;
  }
}

/** Whether an error only says that an answer is no longer wanted. */
export const aborted = error => error.name === "AbortError";

/** The path of a request with its parameters. */
export function path(name, parameters = {}) {
  const query = new URLSearchParams(parameters).toString();
  return query ? `${name}?${query}` : name;
}

/** What a path answers; with a body it is posted. Raises a Problem, or AbortError once the signal says so. */
export async function ask(address, options) {
  const answer = await answered(address, options);
  return await parsed(answer) ?? refuse(null, answer);
}

/** The answer to a request, in whichever form it is. Raises a Problem where the service refuses or fails. */
export async function answered(address, options) {
  const answer = await reached(address, options);
  if (!answer.ok) refuse(await parsed(answer), answer);
  failures = 0;
  return answer;
}

/** The answer to a request, whatever it is; a body is URLSearchParams or goes as JSON. Raises a Problem where there is none. */
export async function reached(address, options = {}) {
  const used = keptKey(), answer = await sent(address, options, used);
  if (answer.status !== 401 || !(await unlocked(used))) return answer;
  return reached(address, options);
}

/** Ask a person for a key of the service where it wants one: ask(refused) resolves to a key, or to null. Who is refused before waits. */
export const whenLocked = ask => locked(ask);

/** Whether there is another key than one that was refused; all requests wait for the same answer. */
async function unlocked(used) {
  if (keptKey() === used) await (asking ??= asker.then(ask => ask(used !== "")).then(keepKey).finally(() => { asking = null; }));
  return keptKey() !== used;
}

/** The key of the service; empty where none was needed. */
function keptKey() {
  try {
    return sessionStorage.getItem(KEPT_KEY) ?? "";
  } catch {
    return "";
  }
}

function keepKey(key) {
  if (key !== null) sessionStorage.setItem(KEPT_KEY, key);
}

async function sent(address, {body, signal}, key) {
  const posted = body === undefined ? {} : {method: "POST", ...content(body)};
  const began = performance.now();
  begin(began);
  try {
    return await fetch(address, {...posted, headers: {...posted.headers, ...(key && {"X-Api-Key": key})}, signal});
  } catch (error) {
    if (aborted(error)) throw error;
    throw new Problem({detail: navigator.onLine ? "The service can’t be reached." : "You are offline."});
  } finally {
    end(began);
  }
}

const content = body => body instanceof URLSearchParams ? {body} : {body: JSON.stringify(body), headers: {"Content-Type": "application/json"}};

/** A function that asks once, whoever calls it, and once more after a failure. */
export function once(work) {
  let asked = null;
  return () => {
    asked ??= work().catch(error => {
      asked = null;
      throw error;
    });
    return asked;
  };
}

/** A function that makes signals; each one aborts the one before, whose answer nobody waits for any more. */
export function latest() {
  let controller = new AbortController();
  return () => {
    controller.abort();
    controller = new AbortController();
    return controller.signal;
  };
}

/** Call a function with the seconds that the longest wait has taken, again and again, and with null once it is over. */
export function watchWaits(listener) {
  waitListeners.push(listener);
}

function parsed(answer) {
  return answer.json().catch(error => {
    if (aborted(error)) throw error;
    return null;
  });
}

function refuse(said, {status, headers}) {
  throw new Problem(said?.detail ? said : {detail: `The service answered ${status} and nothing that can be read.`}, status, secondsOf(headers.get("Retry-After")));
}

/** The seconds that a header says to wait (RFC 9110, section 10.2.3); null where it says nothing. */
function secondsOf(text) {
  const seconds = /^\d+$/.test(text ?? "") ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return text && Number.isFinite(seconds) ? Math.max(1, Math.ceil(seconds)) : null;
}

function begin(time) {
  waiting.add(time);
  ticking ||= setInterval(tellWaits, 200);
}

function end(time) {
  waiting.delete(time);
  if (waiting.size) return;
  clearInterval(ticking);
  ticking = 0;
  tellWaits();
}

function tellWaits() {
  const longest = performance.now() - Math.min(...waiting);
  if (waiting.size && longest < PATIENCE) return;
  for (const listener of waitListeners) listener(waiting.size ? longest / 1000 : null);
}

// --- songs ---

const AT_ONCE = 100;
const known = new Map(); // id -> song, null where the catalogue has none
const records = new Map(); // id -> what the table says, while it is asked for
const lacking = new Set(); // names that no column of the table has
let ahead = null; // what was asked for before anybody shows it

/** Keep what an answer says of songs. */
export function remember(songs) {
  for (const song of songs) known.set(song.id, {...known.get(song.id), ...song});
}

/** What is known of a song without asking; undefined where that is nothing. */
export const recall = id => known.get(id);

/** Songs by id with their years and features, in the order of the ids; null where the catalogue has none. */
export async function details(ids, signal) {
  await ahead;
  signal?.throwIfAborted();
  const missing = [...new Set(ids)].filter(id => known.get(id) !== null && !known.get(id)?.features);
  for (let start = 0; start < missing.length; start += AT_ONCE) await fetched(missing.slice(start, start + AT_ONCE), signal);
  return ids.map(id => known.get(id) ?? null);
}

/** Ask for songs that are to be shown, while what shows them still loads; it is told what is wrong. */
export function detailsAhead(ids) {
  ahead = details(ids);
  ahead.catch(() => { ahead = null; });
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

const told = document.querySelector("#told"); // songs that came with the page
if (told) remember(JSON.parse(told.textContent).songs);

// --- the catalogue ---

const SEASON = /\b(?:christmas|xmas|x-mas|holidays?|no[eë]l|navidad|natal|weihnacht\p{L}*|halloween|santa|easter|hanukkah)\b/iu;
const LARGEST = 3, BEST = 2; // clusters of a family, and songs of each, among which its best-known song is looked for
const grouped = once(() => ask("clusters"));

/** All clusters. Their ids rise, but some may be missing: a cluster keeps its id when the model is trained again. */
export const clusters = async () => (await grouped()).clusters;

/** The cluster that has an id; undefined where none has. */
export const clusterOf = async id => (await clusters()).find(cluster => cluster.id === id);

/** The families, each with its clusters, the largest first. */
export async function families() {
  const all = await grouped(), byId = new Map(all.clusters.map(cluster => [cluster.id, cluster]));
  const members = ids => ids.map(id => byId.get(id)).sort((one, other) => other.size - one.size);
  return all.families.map(family => ({...family, clusters: members(family.clusters)}));
}

/** All genres, {name, songs}, the largest first. */
export const genres = once(async () => (await ask("genres")).genres.sort((one, other) => other.songs - one.songs));

/** The numbers that songs of this catalogue have. */
export async function attributes() {
  return new Set((await clusters()).flatMap(cluster => Object.keys(cluster.features)));
}

/** Songs that a listener knows, of all clusters; none of a season. */
export async function knownSongs() {
  const all = await clusters();
  return all.filter(inSeason).flatMap(({typical}) => typical.filter(({name}) => !SEASON.test(name)));
}

/** Well-known songs, each of another artist: the best-known one of each family, and of few families more. */
export async function wellKnown(number) {
  const ofFamilies = (await families()).map(family => family.clusters.filter(inSeason).slice(0, LARGEST)
    .flatMap(({typical}) => typical.filter(({name}) => !SEASON.test(name)).slice(0, BEST)));
  remember(ofFamilies.flat());
  await details(ofFamilies.flat().map(({id}) => id));
  const known = ofFamilies.map(songs => songs.map(({id}) => recall(id)).sort(byFame)), first = known.flatMap(songs => songs.slice(0, 1)).sort(byFame);
  const all = [...first, ...known.flatMap(songs => songs.slice(1)).sort(byFame)];
  return all.filter(({artists}, place) => all.findIndex(other => other.artists[0] === artists[0]) === place).slice(0, number);
}

const byFame = (one, other) => (other.popularity ?? 0) - (one.popularity ?? 0);

/** Whether a cluster is for the whole year. */
const inSeason = ({name, genres}) => !SEASON.test([name, ...genres.map(genre => genre.name)].join(" "));

/** How many songs there are. */
export const songCount = async () => (await clusters()).reduce((sum, {size}) => sum + size, 0);

/** Songs of a cluster, from a place on. */
export async function songsOf(cluster, offset, limit, signal) {
  return (await ask(path(`clusters/${cluster}`, {offset, limit}), {signal})).songs;
}
