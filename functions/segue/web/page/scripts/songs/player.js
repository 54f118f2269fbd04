/** Spotify's player, which is loaded once somebody asks for a song and is gone when it is closed. */

import {announce, button, el, find, icon} from "../core/dom.js";
import {by} from "../core/words.js";
import {ICONS} from "../parts/icons.js";

const place = find("#player");
let opener = null;

/** A button that plays a song; nothing for a song that Spotify has not. */
export function playButton(song, properties = {}) {
  if (!song.link) return null;
  return button(icon(ICONS.play), event => play(song, event.currentTarget), {label: `Play ${song.name}`, title: "Play at Spotify", ...properties});
}

function play(song, from) {
  opener = from;
  place.hidden = false;
  place.replaceChildren(
    el("p", {className: "player-name"}, el("bdi", {}, song.name), " · ", el("bdi", {}, by(song)),
      " ", el("a", {href: song.link, rel: "noopener noreferrer", target: "_blank"}, "at Spotify")),
    button(icon(ICONS.close), close, {label: "Close the player"}),
    el("iframe", {
      src: song.link.replace("/track/", "/embed/track/"), title: `Spotify plays ${song.name}`, height: 80,
      allow: "autoplay; clipboard-write; encrypted-media; fullscreen; picture-in-picture",
    }));
  announce(`The player has ${song.name}.`);
}

function close() {
  place.replaceChildren();
  place.hidden = true;
  opener?.focus();
}
