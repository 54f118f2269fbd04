/** What a list is about, above it: the song or the artist that it began with, and what can be done with it. */

import {ask, path} from "../core/api.js";
import {EMPTY, write} from "../core/address.js";
import {button, el, find, icon} from "../core/dom.js";
import {play} from "../core/queue.js";
import {recall, remember} from "../core/songs.js";
import {now} from "../core/store.js";
import {counted, untagged} from "../core/words.js";
import {ICONS} from "../parts/icons.js";
import {playAll, playButton} from "../parts/play.js";
import {artwork} from "./artwork.js";
import {songLines} from "./lines.js";
import {artists, facts, keepButton, linkTo} from "./row.js";

const GENRES = 4, SIMILAR = 8, FIRST = 5, PAGE = 50; // of an artist: genres and artists that are named, songs at first and at a time
const known = new Map(); // artist -> what the service tells
const unfolded = new Set(); // artists all of whose songs are shown, also when the list below comes and all is drawn anew

/** What is told of the only seed that is liked, once it is known; nothing where there are several. */
export function seedHead() {
  const liked = now().seeds.filter(({less}) => !less), [{kind, key} = {}] = liked;
  if (liked.length !== 1 || kind === "genre") return null;
  if (kind === "artist") return artistHead(key);
  return recall(key) ? songHead(recall(key)) : el("div", {className: "seed-head blank"});
}

function songHead(song) {
  const name = untagged(song.name), {genres = [], cluster} = song, {place, asks} = artwork(song);
  return el("div", {className: "seed-head"}, place,
    el("div", {className: "seed-name"},
      el("h2", {}, el("bdi", {title: song.name}, name)),
      song.album === undefined ? el("p", {className: "facts"}, artists(song, "song-artists")) : facts(song, song)),
    el("div", {className: "song-keep"}, playButton(song, () => [song], {className: "round", "data-key": "play seed"}), keepButton(song), asks),
    el("p", {className: "seed-tags"},
      genres.slice(0, GENRES).map(genre => el("a", {href: linkTo("genre", genre)}, genre)),
      cluster && el("a", {href: write({...now(), view: "map", cluster: cluster.id, at: EMPTY.at}), className: "seed-cluster"}, `in “${cluster.name}” on the map`)));
}

/** The button that shows the field for more seeds where it is not always there. */
export function mixButton() {
  return button([icon(ICONS.add), "Mix"], () => {
    find("#mix").classList.remove("single");
    find("#add").focus();
  }, {className: "with-icon phone", title: "Add a song, artist or genre", "data-key": "mix"});
}

/** A button that plays songs and goes on with what follows, as a radio. */
export function radioButton(songs) {
  return button([icon(ICONS.radio), "Radio"], () => play(songs, {radio: true}), {
    className: `with-icon ${songs.some(({link}) => link) ? "" : "unsure"}`, title: "Play this, and go on with what follows", "data-key": "radio",
  });
}

function artistHead(name) {
  const place = el("div", {className: `seed-head artist-head ${known.has(name) ? "" : "awaited"}`}, el("div", {className: "seed-name"}, el("h2", {}, el("bdi", {}, name))));
  if (known.has(name)) place.append(...told(known.get(name)));
  else pageOf(name, 0).then(artist => {
    known.set(name, artist);
    place.append(...told(artist));
  }, () => {}).finally(() => place.classList.remove("awaited")); // the list below tells what is wrong
  return place;
}

/** An artist's songs, the best known first, genres and similar artists. */
function told({name, size, genres, similar, songs}) {
  remember(songs);
  const list = el("ol", {className: "lines", "aria-label": `Songs by ${name}`}, songLines(songs.slice(0, FIRST), "of"));
  const unfold = () => {
    unfolded.add(name);
    all.remove();
    list.append(...songLines(songs.slice(FIRST), "of"));
    more(name, size, list, songs.length);
  };
  const all = button(`All ${counted(size, "song")}`, unfold, {"data-key": "all of"});
  const isFolded = size > FIRST && !unfolded.has(name);
  if (unfolded.has(name)) unfold();
  return [
    el("p", {className: "song-keep"}, playAll(songs, {"data-key": "play artist"}), radioButton(songs.slice(0, 1))),
    el("p", {className: "seed-tags"}, genres.slice(0, GENRES).map(genre => el("a", {href: linkTo("genre", genre.name)}, genre.name))),
    list, ...(isFolded ? [all] : []),
    similar.length > 0 && el("p", {className: "seed-similar"}, "Similar: ", similar.slice(0, SIMILAR).map(({name: other}, place) => [
      place > 0 && ", ", el("a", {href: linkTo("artist", other)}, el("bdi", {}, other))])),
  ].filter(Boolean);
}

const pageOf = (name, offset) => ask(path(`artists/${encodeURIComponent(name)}`, {offset, limit: PAGE}));

/** The songs of an artist after the first page, page by page. */
async function more(name, size, list, offset) {
  if (offset >= size) return;
  const {songs} = await pageOf(name, offset).catch(() => ({songs: []}));
  remember(songs);
  list.append(...songLines(songs, "of"));
  if (songs.length) await more(name, size, list, offset + PAGE);
}
