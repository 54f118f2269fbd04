/** One recommendation: what it is, why it is there, how alike it is, what to do with it. */

import {EMPTY, MOST_SEEDS, write} from "../core/address.js";
import {button, el, icon} from "../core/dom.js";
import {change, now, start} from "../core/store.js";
import {by, clock} from "../core/words.js";
import {ICONS} from "../parts/icons.js";
import {changeAndTell} from "../parts/notice.js";
import {playButton} from "../parts/play.js";
import {profile} from "./profile.js";

const PARTS = {
  audio: "sound", artist: "artists", genre: "genres", fame: "popularity", year: "year", joint: "all at once",
  played: "playlists", together: "played together", less_like: "unlike what you avoid", targets: "your sliders",
  words: "words", explicit: "explicit words",
};
const TOLD = 0.005; // of a likeness, from which a part of it has a name of its own

/**
 * A row of the list of recommendations.
 *
 * known : the song with its year and features, once they are there; base : those of the seed; songs : all of the list
 */
export function row(song, known, base, songs) {
  return el("li", {className: "song", data: {id: song.id}},
    el("span", {className: "rank"}, String(song.rank)),
    el("div", {className: "about"},
      el("h3", {}, el("a", {href: linkTo("song", song.id), className: "title", onclick: toTop, "data-key": `title ${song.id}`},
        el("bdi", {className: "song-name", title: song.name}, song.name)),
        song.explicit && el("abbr", {className: "explicit", title: "explicit"}, "E")),
      facts(song, known),
      el("p", {className: "why"}, song.why.reasons.join(" · "))),
    el("p", {className: "song-actions"}, actions(song)),
    el("div", {className: "song-profile"}, known?.features ? profile(known, base, song.id) : null),
    likeness(song),
    el("div", {className: "song-keep"}, playButton(song, () => songs, {className: "round", "data-key": `play ${song.id}`}), keepButton(song)));
}

/** Artists, album, year and length of a song. */
export function facts(song, known) {
  const year = known?.year ?? song.year;
  return el("p", {className: "facts"},
    artists(song, "song-artists"),
    song.album && el("span", {className: "song-album", title: song.album}, " on ", el("bdi", {}, song.album)),
    year && el("span", {}, `, ${Math.round(year)}`),
    song.duration_ms && el("span", {className: "song-length"}, ` · ${clock(song.duration_ms)}`));
}

/** The artists of a song, each with a link to all that is known of them. */
export function artists(song, className) {
  if (!song.artists.length) return el("bdi", {className}, by(song));
  return el("bdi", {className, title: by(song)}, song.artists.map((name, place) => [
    place > 0 && ", ", el("a", {href: linkTo("artist", name), onclick: toTop, "data-key": `artist ${place} ${song.id}`}, name)]));
}

/** The address at which a song, an artist or a genre is the seed. */
export function linkTo(kind, key) {
  const {never, clean, list, name} = now();
  return write({...EMPTY, never, clean, list, name, seeds: [{kind, key, less: false}]});
}

/** What is begun anew is read from the top. */
const toTop = event => !(event.ctrlKey || event.metaKey || event.shiftKey) && requestAnimationFrame(() => scrollTo(0, 0));

/** A button that puts a song into the playlist, or takes it out. */
export function keepButton(song) {
  const kept = now().list.includes(song.id);
  return button(icon(kept ? ICONS.done : ICONS.add), () => {
    const {list} = now();
    change({list: list.includes(song.id) ? list.filter(id => id !== song.id) : [...list, song.id]});
  }, {
    label: `${song.name} in the playlist`, "aria-pressed": String(kept), className: "round", "data-key": `keep ${song.id}`,
    title: kept ? "Take out of the playlist" : "Put into the playlist",
  });
}

function actions(song) {
  const artist = song.artists[0];
  return [
    button("More like this", () => {
      start([{kind: "song", key: song.id, less: false}]);
      scrollTo(0, 0);
    }, {label: `More like this: ${song.name}`, "data-key": `more ${song.id}`}),
    button("Less like this", () => changeAndTell({seeds: [...now().seeds.slice(0, MOST_SEEDS - 1), {kind: "song", key: song.id, less: true}]},
      `“${song.name}” and songs like it are taken away.`), {label: `Less like this: ${song.name}`, "data-key": `less ${song.id}`}),
    artist && button("Never this artist", () => changeAndTell({never: [...new Set([...now().never, artist])]}, `Nothing of ${artist} from here on.`),
      {label: `Never this artist: ${artist}`, "data-key": `never ${song.id}`}),
  ];
}

/** How alike a song is, as a number and as a bar of the parts that make it up. */
function likeness(song) {
  const parts = Object.entries(song.why.parts).filter(([, part]) => part > 0.0005).sort(([, one], [, other]) => other - one);
  const percent = Math.round(100 * song.score);
  const named = parts.filter(([name, part]) => name in PARTS && part >= TOLD);
  const rest = parts.reduce((sum, [, part]) => sum + part, 0) - named.reduce((sum, [, part]) => sum + part, 0);
  const said = [...named.map(([name, part]) => [PARTS[name], part]), ...(rest >= TOLD ? [["the rest", rest]] : [])]
    .map(([name, part]) => `${name} ${Math.round(100 * part)}`).join(", ");
  const bar = el("span", {className: "bar", "aria-hidden": "true"}, parts.map(([, part], place) => {
    const piece = el("span", {className: "bar-part"});
    piece.style.setProperty("--share", `${100 * part}%`);
    piece.style.setProperty("--place", String(place));
    return piece;
  }));
  return el("div", {className: "likeness", title: `Made up of ${said}`},
    el("span", {className: "percent"}, `${percent}`, el("span", {className: "unit"}, " %")),
    el("span", {className: "unseen"}, ` alike: ${said}`), bar);
}
