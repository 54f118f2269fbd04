/** Songs in a line each: beside the map, of a cluster, of an artist. */

import {button, el} from "../core/dom.js";
import {explore} from "../core/store.js";
import {playButton} from "../parts/play.js";
import {artists, keepButton} from "./row.js";

/** Lines of songs, whose names explore them; `key` tells lists apart that hold the same song. */
export const songLines = (songs, key) => songs.map(song => line(song, key, songs));

function line(song, key, songs) {
  return el("li", {className: "line", data: {id: song.id}},
    button(el("bdi", {className: "song-name", title: song.name}, song.name), () => explore(song.id),
      {className: "line-name", title: "Hear what follows", "data-key": `${key} ${song.id}`}),
    artists(song, "line-by"),
    el("span", {className: "line-keep"}, playButton(song, () => songs, {className: "round", "data-key": `play ${key} ${song.id}`}), keepButton(song)));
}
