/** One cluster: its genres and its sound, songs that many know, what lies near, and all its songs a page at a time. */

import {songsOf} from "../core/catalogue.js";
import {button, el} from "../core/dom.js";
import {remember} from "../core/songs.js";
import {EMPTY, write} from "../core/address.js";
import {change, now} from "../core/store.js";
import {counted, listed} from "../core/words.js";
import {DIALS, PROFILE, share} from "../core/dials.js";
import {trouble} from "../parts/trouble.js";
import {songLines} from "../songs/lines.js";

const PAGE = 20; // songs at a time
const TOLD = 0.1; // mean rank above or below the middle of the catalogue, from which it is put into words
const DIFFERENT = { // what has less of a number than the catalogue is, and what has more
  energy: ["calmer", "more energetic"], valence: ["sadder", "happier"], danceability: ["less danceable", "more danceable"],
  acousticness: ["more electric", "more acoustic"], instrumentalness: ["more often sung", "more instrumental"], tempo: ["slower", "faster"],
  loudness: ["quieter", "louder"], speechiness: ["less spoken", "more spoken"], liveness: ["less live", "more live"],
  duration_ms: ["shorter", "longer"], year: ["older", "newer"], popularity: ["less known", "better known"],
};
const MEANS = [...PROFILE, ...DIALS.filter(({name}) => name === "year" || name === "popularity")];

/** The address of a cluster on the map, from where one is. */
export const linkTo = id => write({...now(), view: "map", cluster: id, at: EMPTY.at});

/** What is told of a cluster; `families` are those of the catalogue. */
export function told(cluster, families) {
  const family = families.find(({id}) => id === cluster.family);
  const songs = el("ol", {className: "lines"}), foot = el("div", {className: "below"});
  const list = el("details", {ontoggle: () => list.open && !songs.children.length && more(cluster, songs, foot)},
    el("summary", {}, `All ${counted(cluster.size, "song")}`), songs, foot);
  return [
    el("div", {className: "told-head"}, el("h2", {}, cluster.name),
      button("Close", () => change({cluster: null, at: null}), {className: "quiet", label: `Close ${cluster.name}`})),
    el("p", {className: "soft"}, `In the family ${family.name}`),
    cluster.genres.length > 0 && el("h3", {}, "Genres"),
    cluster.genres.length > 0 && genres(cluster),
    el("h3", {}, "How it sounds"),
    el("p", {className: "different"}, different(cluster)),
    sound(cluster),
    el("h3", {}, "Well-known songs"),
    el("ol", {className: "lines"}, songLines(cluster.typical, "typical")),
    el("h3", {}, "Near it"),
    el("ul", {className: "nears"}, cluster.near.map(({id, name}) => el("li", {}, el("a", {href: linkTo(id)}, name)))),
    list,
  ].filter(Boolean);
}

/** Which share of the songs has each genre; one may have several. */
function genres({genres: all}) {
  return el("dl", {className: "sound genres"}, all.map(({name, share: part}) => measure(name, part, `${Math.round(100 * part)} %`)));
}

/** How the songs differ from the catalogue, the largest difference first. */
function different({differences}) {
  const large = Object.entries(differences).filter(([name, value]) => name in DIFFERENT && Math.abs(value) >= TOLD)
    .sort(([, one], [, other]) => Math.abs(other) - Math.abs(one));
  const words = large.map(([name, value]) => DIFFERENT[name][value > 0 ? 1 : 0]);
  return words.length ? `Than the catalogue: ${listed(words)}.` : "Much as the catalogue does.";
}

/** The means of a cluster's songs. */
function sound({features}) {
  return el("dl", {className: "sound"}, MEANS.filter(({name}) => name in features)
    .map(one => measure(one.label.toLowerCase(), share(one, features[one.name]), look(one, features[one.name]))));
}

/** A number with its name and a bar of a length 0..1. */
function measure(name, length, text) {
  const bar = el("span", {className: "sound-bar", "aria-hidden": "true"});
  bar.style.setProperty("--share", String(length));
  return el("div", {}, el("dt", {}, name), bar, el("dd", {}, text));
}

const look = ({name}, value) => DIALS.find(dial => dial.name === name)?.look(value) ?? `${Math.round(100 * value)} %`;

async function more(cluster, songs, foot) {
  foot.replaceChildren(el("p", {className: "small"}, "Looking …"));
  try {
    const found = await songsOf(cluster.id, songs.children.length, PAGE);
    remember(found);
    songs.append(...songLines(found, "all"));
    foot.replaceChildren(...(songs.children.length < cluster.size ? [button("More songs", () => more(cluster, songs, foot))] : []));
  } catch (problem) {
    foot.replaceChildren(trouble(problem, {again: () => more(cluster, songs, foot)}));
  }
}
