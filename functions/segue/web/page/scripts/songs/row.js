/** One recommendation: what it is, why it is there, how alike it is, what to do with it. */

import {button, el, icon} from "../core/dom.js";
import {change, now, start} from "../core/store.js";
import {by, clock} from "../core/words.js";
import {ICONS} from "../parts/icons.js";
import {playButton} from "./player.js";
import {profile} from "./profile.js";

const PARTS = {
  audio: "sound", artist: "artists", genre: "genres", fame: "popularity", year: "year", joint: "all at once",
  played: "playlists", together: "played together", less_like: "unlike what you avoid", targets: "your sliders",
};

/** A row of the list of recommendations; `known` has year and features once they are there, `base` the seed's. */
export function row(song, known, base) {
  return el("li", {className: "song", data: {id: song.id}},
    el("span", {className: "rank"}, String(song.rank)),
    el("div", {className: "about"},
      el("h3", {}, el("bdi", {className: "song-name", title: song.name}, song.name),
        song.explicit && el("abbr", {className: "explicit", title: "explicit"}, "E")),
      facts(song, known),
      el("p", {className: "why"}, song.why.reasons.join(" · "))),
    el("p", {className: "song-actions"}, actions(song)),
    el("div", {className: "song-profile"}, known?.features ? profile(known, base) : null),
    likeness(song),
    el("div", {className: "song-keep"}, playButton(song, {className: "round", "data-key": `play ${song.id}`}), keepButton(song)));
}

/** Artists, album, year and length of a song. */
export function facts(song, known) {
  const year = known?.year ?? song.year;
  return el("p", {className: "facts"},
    el("bdi", {className: "song-artists", title: by(song)}, by(song)),
    song.album && el("span", {className: "song-album", title: song.album}, " on ", el("bdi", {}, song.album)),
    year && el("span", {}, `, ${Math.round(year)}`),
    song.duration_ms && el("span", {className: "song-length"}, ` · ${clock(song.duration_ms)}`));
}

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
    button("Less like this", () => change({seeds: [...now().seeds, {kind: "song", key: song.id, less: true}]}),
      {label: `Less like this: ${song.name}`, "data-key": `less ${song.id}`}),
    artist && button("Never this artist", () => change({never: [...new Set([...now().never, artist])]}),
      {label: `Never this artist: ${artist}`, "data-key": `never ${song.id}`}),
  ];
}

/** How alike a song is, as a number and as a bar of the parts that make it up. */
function likeness(song) {
  const parts = Object.entries(song.why.parts).filter(([, part]) => part > 0.0005).sort(([, one], [, other]) => other - one);
  const percent = Math.round(100 * song.score);
  const said = parts.map(([name, part]) => `${PARTS[name] ?? name} ${Math.round(100 * part)}`).join(", ");
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
