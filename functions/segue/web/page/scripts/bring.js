/** Lists that people have: what of a file is here and what is missing. */

import {LONGEST_NAME, MOST_LISTED, MOST_SEEDS, now, start} from "./state.js";
import {aborted, ask, latest, remember, spread} from "./service.js";
import {announce, button, copyButton, count, counted, el, trouble} from "./elements.js";
import {takeAsPlaylist} from "./controls.js";

const AT_ONCE = 20, MOST = 1000; // songs that are looked for in one request, which names of none make dear, and in all
const LARGEST = 20_000_000; // bytes
const anew = latest();
const asked = el("div", {}), said = el("div", {className: "brought"});

/** Look for the songs of a file, make the playlist of those that are here, and tell in `place` which are missing. */
export async function bring(file, place) {
  const signal = anew();
  place.replaceChildren(asked, said);
  asked.replaceChildren();
  try {
    if (file.size > LARGEST) throw new Error(`This file is larger than ${LARGEST / 1e6} MB.`);
    const all = songsIn(await file.arrayBuffer()), songs = all.slice(0, MOST), found = await lookedFor(songs, signal);
    const ids = [...new Set(found.filter(Boolean).map(({id}) => id))], listed = ids.slice(0, MOST_LISTED);
    said.replaceChildren(...told(file.name, all, songs.filter((_, place) => !found[place]), ids));
    announce(said.firstChild.textContent);
    if (ids.length) takeAsPlaylist(listed, asked, now().list.length ? {} : {name: file.name.replace(/\.\w+$/, "").slice(0, LONGEST_NAME)});
  } catch (problem) {
    if (!aborted(problem)) said.replaceChildren(trouble(problem, {again: problem.status === undefined ? null : () => bring(file, place)}));
  }
}

/** What each song is here; undefined where it is missing. */
async function lookedFor(songs, signal) {
  const found = [];
  for (let from = 0; from < songs.length; from += AT_ONCE) {
    said.replaceChildren(el("p", {className: "small"}, `Looking for ${count(songs.length)} songs: ${count(from)} done …`));
    const answer = await ask("order", {body: {songs: songs.slice(from, from + AT_ONCE)}, signal});
    remember(answer.songs);
    for (const song of answer.songs) found[from + song.given] = song;
  }
  return found;
}

function told(name, all, missing, ids) {
  const sought = Math.min(all.length, MOST), here = sought - missing.length;
  const listed = missing.map(({song, artist, id}) => [song ?? id, artist].filter(Boolean).join(" by "));
  return [
    el("p", {className: "brought-said"}, `${count(here)} of ${counted(sought, "song")} of “${name}” ${here === 1 ? "is" : "are"} here.`),
    all.length > MOST && el("p", {className: "small"}, `It has ${count(all.length)}; the first ${count(MOST)} were looked for.`),
    ids.length > MOST_LISTED && el("p", {className: "small"}, `A playlist holds the first ${MOST_LISTED}.`),
    ids.length > 0 && el("p", {className: "actions"}, button("More like these", () => start(spread(ids, MOST_SEEDS).map(key => ({kind: "song", key, less: false}))))),
    missing.length > 0 && el("details", {}, el("summary", {}, `${counted(missing.length, "song")} missing`),
      el("ol", {className: "lacking"}, listed.map(text => el("li", {}, el("bdi", {}, text)))),
      copyButton("Copy these", () => listed.join("\n"))),
  ].filter(Boolean);
}

// --- files ---

/** Names of columns and fields, in small letters and digits alone, best first. */
const TITLES = ["trackname", "mastermetadatatrackname", "tracktitle", "songname", "songtitle", "title", "song", "track", "name"];
const ARTISTS = ["artistname", "artistnames", "mastermetadataalbumartistname", "artists", "artist", "creator", "performer"];
const IDS = ["spotifytrackuri", "trackuri", "spotifytrackid", "spotifyid", "trackid", "songid", "identifier", "uri", "url", "location", "id"];
const TRACK = /(?:^|spotify:track:|spotify\.com\/(?:[\w-]+\/)?track\/)([\w.-]{1,64})(?:[?#].*)?$/;
const LINKED = /spotify(?:\.com\/\S*track\/|:track:)/;
const LINK = /^(?:spotify:|(?:https?:\/\/)?[\w.-]+\.(?:com|be)\/)\S*$/i;
const ISRC = /^[A-Z]{2}[A-Z0-9]{3}\d{7}$/i;
const SEPARATORS = [",", ";", "\t"];
const FIRST = 5; // lines among which the headers of a table are
const LONGEST = 600; // characters of a title or an artist
const FOREIGN = /^<\?xml|^<plist|[\0-\x08]/; // XML, and what is no text

/** The songs of a file, {id, song, artist} as far as it has them, each once. An Error says what would have worked. */
function songsIn(bytes) {
  const text = decoded(bytes);
  if (FOREIGN.test(text)) throw new Error("This page reads JSON, JSPF, CSV, M3U8 and plain text. Export the list as one of these.");
  const found = new Map(all(text).map(song => [JSON.stringify(song), song]));
  if (!found.size) throw new Error("No songs are in this file: it needs a column or a field for titles and one for artists, or ids.");
  return [...found.values()];
}

function decoded(bytes) {
  const [first, second] = new Uint8Array(bytes), marked = {0xfeff: "utf-16be", 0xfffe: "utf-16le"}[(first << 8) | second];
  try {
    return new TextDecoder(marked ?? "utf-8", {fatal: true}).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

function all(text) {
  const begun = text.trimStart();
  if (/^[[{]/.test(begun)) return inside(parsed(begun));
  if (/^#EXT(?:M3U|INF)/m.test(begun)) return entries(lines(begun));
  return table(begun) ?? lines(begun).map(line => songOf({id: LINKED.test(line) ? line : "", title: line})).filter(Boolean);
}

const lines = text => text.split(/[\r\n]+/).map(line => line.trim()).filter(Boolean);

/** JSON, or an object a line. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (problem) {
    try {
      return lines(text).map(line => JSON.parse(line));
    } catch {
      throw new Error(`This file looks like JSON and is not: ${problem.message}`, {cause: problem});
    }
  }
}

/** The songs anywhere in JSON: what has a title and an artist, or the link of a song, and holds no songs itself. */
function inside(value) {
  if (typeof value === "string") return LINKED.test(value) ? [songOf({id: value})].filter(Boolean) : [];
  if (value === null || typeof value !== "object") return [];
  if (Array.isArray(value)) return value.flatMap(inside);
  const parts = Object.values(value), fields = fieldsOf(value), own = (fields.title && fields.artist) || LINKED.test(fields.id);
  const holds = own && parts.some(part => Array.isArray(part) && inside(part.filter(one => typeof one === "object")).length);
  return own && !holds ? [songOf(fields)].filter(Boolean) : parts.filter(part => typeof part === "object").flatMap(inside);
}

/** What an object or a row says of a song, by what its names mean. */
function fieldsOf(value) {
  const named = new Map(Object.entries(value).map(([name, one]) => [plain(name), textOf(one)]));
  const first = names => names.map(name => named.get(name)).find(Boolean) ?? "";
  const isrc = named.get("isrc") ?? "", id = IDS.map(name => named.get(name)).find(one => one && idOf(one));
  return {id: id ?? (ISRC.test(isrc) ? `isrc:${isrc}` : ""), title: first(TITLES), artist: first(ARTISTS)};
}

const plain = name => name.toLowerCase().replace(/[^a-z0-9]+/g, "");

/** A text, or the first of a list of texts or of things with names. */
function textOf(value) {
  const one = Array.isArray(value) ? value[0] : value;
  if (typeof one === "string") return one;
  return Array.isArray(value) && typeof one?.name === "string" ? one.name : "";
}

const idOf = text => (ISRC.test(text.replace(/^isrc:/, "")) && text.startsWith("isrc:") ? text : TRACK.exec(text)?.[1]);

/** A song as the service is asked for it; null where neither a title with its artist nor an id is known. */
function songOf({id = "", title = "", artist = ""}) {
  const [song, by] = [title, artist.split(/;|', '/)[0].replace(/^\['|'\]$/g, "")].map(clean), known = idOf(id.trim());
  if (!known && !song) return null;
  return {...(known && {id: known}), ...(song && {song, ...(by && {artist: by})})};
}

/** A text that the service takes; a link is no name. */
function clean(text) {
  const one = text.trim().slice(0, LONGEST);
  return LINK.test(one) ? "" : one;
}

/** The entries of an M3U: a name in a comment, and the file or the link after it. */
function entries(rows) {
  const songs = [];
  let name = "";
  for (const row of rows) {
    if (row.startsWith("#EXTINF")) name = row.slice(row.indexOf(",") + 1);
    if (row.startsWith("#")) continue;
    const told = name || row.split(/[/\\]/).at(-1).replace(/\.\w{2,4}$/, "").replace(/^\d+[ ._-]+/, "");
    const [artist, ...title] = told.split(" - ");
    songs.push(songOf({id: LINKED.test(row) ? row : "", ...(title.length ? {artist, title: title.join(" - ")} : {title: told})}));
    name = "";
  }
  return songs.filter(Boolean);
}

/** The rows of a table below headers that mean something, which may stand below a title; null where there are none. */
function table(text) {
  const counts = SEPARATORS.map(mark => Math.max(...lines(text).slice(0, FIRST).map(line => line.split(mark).length)));
  const rows = cells(text, SEPARATORS[counts.indexOf(Math.max(...counts))]);
  const at = rows.slice(0, FIRST).findIndex(row => means(row, IDS) || (means(row, TITLES) && means(row, ARTISTS)));
  if (at < 0) return null;
  const songs = rows.slice(at + 1).map(row => songOf(fieldsOf(Object.fromEntries(rows[at].map((name, place) => [name, row[place] ?? ""])))));
  return songs.filter(song => song && (song.id || song.artist || !means(rows[at], ARTISTS))); // a row of an artist has one name
}

const means = (row, names) => row.some(name => names.includes(plain(name)));

/** The cells of a table (RFC 4180), whose quoted cells may hold separators, line ends and doubled quotes. */
function cells(text, separator) {
  const rows = [[]], cell = new RegExp(`(?:"([^"]*(?:""[^"]*)*)"|([^${separator}\\r\\n]*))(${separator}|\\r?\\n|\\r|$)`, "y");
  while (cell.lastIndex < text.length) {
    const [, quoted, bare, end] = cell.exec(text); // of which one always fits
    rows.at(-1).push(quoted?.replaceAll('""', '"') ?? bare);
    if (end !== separator) rows.push([]);
  }
  return rows.filter(row => row.some(Boolean));
}
