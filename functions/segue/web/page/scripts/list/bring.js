/** Lists that people have: a file is chosen or dropped, and what of it is here and what is missing is told. */

import {aborted, ask, latest} from "../core/api.js";
import {announce, button, el} from "../core/dom.js";
import {LONGEST_NAME, MOST_LISTED, MOST_SEEDS} from "../core/address.js";
import {remember, spread} from "../core/songs.js";
import {now, start} from "../core/store.js";
import {count, counted} from "../core/words.js";
import {copyButton} from "../parts/copy.js";
import {takeAsPlaylist} from "../parts/question.js";
import {trouble} from "../parts/trouble.js";
import {songsIn} from "./files.js";

const AT_ONCE = 50, MOST = 1000; // songs that are looked for in one request, and in all
const LARGEST = 20_000_000; // bytes
const TYPES = ".csv,.tsv,.txt,.json,.jsonl,.jspf,.m3u,.m3u8";
const anew = latest();
const asked = el("div", {}), said = el("div", {className: "brought"});

/** The field for a file, and what was said of the last one. */
export function bringing() {
  const field = el("input", {type: "file", id: "bring", accept: TYPES, onchange: () => field.files.length && bring(field.files[0])});
  return el("section", {className: "maker", "aria-labelledby": "bring-title"}, el("h3", {id: "bring-title"}, "Bring a list"),
    el("p", {className: "labelled"}, el("label", {htmlFor: "bring"}, "A file that another program saved: CSV, JSON, JSPF, M3U8 or text. Or drop it anywhere here."), field),
    asked, said);
}

/** Look for the songs of a file, make the playlist of those that are here, and tell which are missing. */
export async function bring(file) {
  const signal = anew();
  asked.replaceChildren();
  try {
    if (file.size > LARGEST) throw new Error(`This file is larger than ${LARGEST / 1e6} MB.`);
    const all = songsIn(await file.arrayBuffer()), songs = all.slice(0, MOST), found = await lookedFor(songs, signal);
    const ids = [...new Set(found.filter(Boolean).map(({id}) => id))], listed = ids.slice(0, MOST_LISTED);
    said.replaceChildren(...told(file.name, all, songs.filter((_, place) => !found[place]), ids));
    announce(said.firstChild.textContent);
    if (ids.length) takeAsPlaylist(listed, asked, now().list.length ? {} : {name: file.name.replace(/\.\w+$/, "").slice(0, LONGEST_NAME)});
  } catch (problem) {
    if (!aborted(problem)) said.replaceChildren(trouble(problem, {again: problem.status === undefined ? null : () => bring(file)}));
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
