/** What may be meant by a text: songs, artists, genres. */

import {ask, path} from "../core/api.js";
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
  const {song, artist, genres = []} = found.understood ?? {};
  const meant = song ? songs.slice(0, 1) : others.filter(({name}) => name === artist || genres.includes(name));
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

const same = (name, text) => bare(name) === bare(text);
const bare = text => text.normalize("NFKD").replace(/\p{M}/gu, "").replace(/[^\p{L}\p{N}]+/gu, " ").trim().toLowerCase();
