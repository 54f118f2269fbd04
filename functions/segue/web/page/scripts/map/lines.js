/** Songs beside the map, each in a line. */

import {button, el} from "../core/dom.js";
import {explore} from "../core/store.js";
import {by} from "../core/words.js";
import {playButton} from "../songs/player.js";
import {keepButton} from "../songs/row.js";

/** A song that is explored when its name is pressed; `key` tells lists apart that hold the same song. */
export function songLine(song, key) {
  return el("li", {className: "line", data: {id: song.id}},
    button(el("bdi", {className: "song-name", title: song.name}, song.name), () => explore(song.id),
      {className: "line-name", title: "Hear what follows", "data-key": `${key} ${song.id}`}),
    el("bdi", {className: "line-by"}, by(song)),
    el("span", {className: "line-keep"}, playButton(song, {className: "round", "data-key": `play ${key} ${song.id}`}), keepButton(song)));
}
