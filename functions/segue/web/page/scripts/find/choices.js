/** What may be meant by a text: songs, artists, genres. */

import {ask, path} from "../core/api.js";
import {DIALS} from "../core/dials.js";
import {el} from "../core/dom.js";
import {remember} from "../core/songs.js";
import {by, counted} from "../core/words.js";

const SONGS = 6, ARTISTS = 3, GENRES = 2;
const WORDS = {song: "Song", artist: "Artist", genre: "Genre"};

/** A choice of a song. */
export const ofSong = song => ({kind: "song", key: song.id, name: song.name, note: by(song), song});

/** A choice of an artist. */
export const ofArtist = artist => ({kind: "artist", key: artist.name, name: artist.name, note: counted(artist.songs, "song")});

/** A choice of a genre. */
export const ofGenre = genre => ({kind: "genre", key: genre.name, name: genre.name, note: ""});

/** Choices for a text: what it means, artists and genres of exactly this name, other songs, and the rest. */
export async function choicesFor(text, signal, kinds = ["song", "artist", "genre"]) {
  const found = await ask(path("search", {q: text, limit: SONGS}), {signal});
  remember(found.songs);
  const songs = found.songs.map(ofSong);
  const others = [...found.artists.slice(0, ARTISTS).map(ofArtist), ...found.genres.slice(0, GENRES).map(ofGenre)];
  const {song, artist, genres = [], ...described} = found.understood ?? {};
  const meant = song ? songs.slice(0, 1) : others.filter(({name}) => name === artist || genres.includes(name));
  if (genres.length && meant.length && Object.keys(described).length) meant[0].described = {genres, ...described};
  const named = others.filter(({name}) => same(name, text));
  return [...new Set([...meant, ...named, ...songs, ...others])].filter(({kind}) => kinds.includes(kind));
}

/** What an option of a list of choices shows. */
export function shown({kind, name, note, song, recent}) {
  return [
    el("span", {className: "choice-name"}, el("bdi", {}, name)),
    el("span", {className: "choice-kind"}, recent ? `${WORDS[kind]}, recent` : WORDS[kind]),
    el("span", {className: "choice-note"}, note && el("span", {}, kind === "song" && "by ", el("bdi", {}, note)),
      song?.album && el("span", {className: "choice-album"}, "on ", el("bdi", {}, song.album))),
  ];
}

/** The seed that a choice is. */
export const seedOf = ({kind, key}) => ({kind, key, less: false});

/** What a choice changes of the state that begins with it: seeds, and of a description also the sliders. */
export function begun(choice) {
  const {genres = [], targets = {}, years} = choice.described ?? {}, middle = years && {year: Math.round((years[0] + years[1]) / 2)};
  const turned = Object.entries({...targets, ...middle}).filter(([name]) => DIALS.some(dial => dial.name === name));
  const others = genres.filter(name => name !== choice.key).map(key => ({kind: "genre", key, less: false}));
  return {seeds: [seedOf(choice), ...others], targets: Object.fromEntries(turned)};
}

const same = (name, text) => bare(name) === bare(text);

/** A text without accents, punctuation and capitals. */
export const bare = text => text.normalize("NFKD").replace(/\p{M}/gu, "").replace(/[^\p{L}\p{N}]+/gu, " ").trim().toLowerCase();
