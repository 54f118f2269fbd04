/** Buttons that play songs, and show which of them is heard. */

import {button, icon} from "../core/dom.js";
import {current, heard, pause, play, watchQueue} from "../core/queue.js";
import {ICONS} from "./icons.js";

watchQueue(() => document.querySelectorAll("[data-play]").forEach(mark));

/** A button that plays a song, and after it the others of a row, which `songs` gives; or pauses it. */
export function playButton(song, songs, {className = "", data = {}, ...properties} = {}) {
  const made = button("", () => pressed(song, songs()), {
    className: `play ${song.link ? "" : "unsure"} ${className}`, data: {...data, play: song.id, name: song.name}, ...properties,
  });
  mark(made);
  return made;
}

/** A button that plays all songs of a row. */
export function playAll(songs, properties = {}) {
  return button([icon(ICONS.play), "Play all"], () => play(songs), {
    className: `with-icon ${songs.some(({link}) => link) ? "" : "unsure"}`, "data-key": "play all", ...properties,
  });
}

function pressed(song, songs) {
  if (current()?.id === song.id) pause(!heard().paused);
  else play(songs, {at: Math.max(0, songs.findIndex(({id}) => id === song.id))});
}

function mark(made) {
  const on = current()?.id === made.dataset.play, playing = on && !heard().paused;
  made.classList.toggle("on", on);
  made.replaceChildren(icon(playing ? ICONS.pause : ICONS.play));
  made.setAttribute("aria-label", `${playing ? "Pause" : "Play"} ${made.dataset.name}`);
  made.title = playing ? "Pause" : "Play";
}
