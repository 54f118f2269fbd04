/** What the page opens with: songs that people know, each of another family, and a walk between two of them. */

import {EMPTY, write} from "../core/address.js";
import {aborted, ask} from "../core/api.js";
import {wellKnown} from "../core/catalogue.js";
import {el, find} from "../core/dom.js";
import {remember} from "../core/songs.js";
import {now} from "../core/store.js";
import {by, untagged} from "../core/words.js";
import {playButton} from "../parts/play.js";
import {takeAsPlaylist} from "../parts/question.js";
import {trouble} from "../parts/trouble.js";
import {ofSong} from "./choices.js";
import {walkFields} from "./walk.js";

const SONGS = 6, STOPS = 8;

/** Show known songs and the form of a walk before anything is searched for. */
export async function showFirst() {
  const songs = await wellKnown(SONGS), place = find("#first");
  place.replaceChildren(el("h2", {id: "first-title"}, "Songs to begin with"),
    el("ol", {className: "firsts"}, songs.map(song => known(song, songs))), ...(songs.length > 1 ? [walkForm(songs)] : []));
  place.hidden = false;
}

function known(song, songs) {
  const {never, clean, list, name} = now();
  return el("li", {className: "line", data: {id: song.id}},
    el("a", {className: "title line-name", href: write({...EMPTY, never, clean, list, name, seeds: [{kind: "song", key: song.id, less: false}]})},
      el("bdi", {title: song.name}, untagged(song.name))),
    el("bdi", {className: "line-by"}, by(song)),
    el("span", {className: "line-keep"}, playButton(song, () => songs, {className: "round", "data-key": `first ${song.id}`})));
}

function walkForm(songs) {
  const {elements, fill, request} = walkFields("way"), said = el("div", {});
  const go = el("button", {type: "submit"}, "Draw the way");
  fill(...[songs[0], songs.at(-1)].map(ofSong));
  return el("form", {className: "way", "aria-label": "A walk over the map", onsubmit: async event => {
    event.preventDefault();
    if (go.ariaDisabled === "true") return; // it keeps the focus, which a disabled button loses
    go.ariaDisabled = "true";
    try {
      const {songs: stops} = await ask("path", {body: request(STOPS)});
      remember(stops);
      takeAsPlaylist(stops.map(({id}) => id), said, {view: "map", seeds: [], cluster: null, at: null});
    } catch (problem) {
      if (!aborted(problem)) said.replaceChildren(trouble(problem));
    } finally {
      go.ariaDisabled = null;
    }
  }}, elements, go, said);
}
