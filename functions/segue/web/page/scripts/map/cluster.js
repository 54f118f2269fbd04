/** One cluster: what it is like, songs typical of it, what lies near, and all its songs a page at a time. */

import {songsOf} from "../core/catalogue.js";
import {button, el} from "../core/dom.js";
import {remember} from "../core/songs.js";
import {EMPTY, write} from "../core/address.js";
import {change, now} from "../core/store.js";
import {counted} from "../core/words.js";
import {DIALS, PROFILE, share} from "../core/dials.js";
import {trouble} from "../parts/trouble.js";
import {songLine} from "./lines.js";

const PAGE = 20; // songs at a time
const MEANS = [...PROFILE, ...DIALS.filter(({name}) => name === "year" || name === "popularity")];

/** The address of a cluster on the map, from where one is. */
export const linkTo = id => write({...now(), view: "map", cluster: id, at: EMPTY.at});

/** What is told of a cluster. */
export function told(cluster) {
  const songs = el("ol", {className: "lines"}), foot = el("div", {className: "below"});
  const list = el("details", {ontoggle: () => list.open && !songs.children.length && more(cluster, songs, foot)},
    el("summary", {}, `All ${counted(cluster.size, "song")}`), songs, foot);
  return [
    el("div", {className: "told-head"}, el("h2", {}, cluster.name),
      button("Close", () => change({cluster: null, at: null}), {className: "quiet", label: `Close ${cluster.name}`})),
    sound(cluster),
    el("h3", {}, "Typical of it"),
    el("ol", {className: "lines"}, cluster.typical.map(song => songLine(song, "typical"))),
    el("h3", {}, "Near it"),
    el("ul", {className: "nears"}, cluster.near.map(({id, name}) => el("li", {}, el("a", {href: linkTo(id)}, name)))),
    list,
  ];
}

/** The means of a cluster's songs, each with its name and a bar. */
function sound({features}) {
  return el("dl", {className: "sound"}, MEANS.filter(({name}) => name in features).map(one => {
    const bar = el("span", {className: "sound-bar", "aria-hidden": "true"});
    bar.style.setProperty("--share", String(share(one, features[one.name])));
    return el("div", {}, el("dt", {}, one.label.toLowerCase()), bar, el("dd", {}, look(one, features[one.name])));
  }));
}

const look = ({name}, value) => DIALS.find(dial => dial.name === name)?.look(value) ?? `${Math.round(100 * value)} %`;

async function more(cluster, songs, foot) {
  foot.replaceChildren(el("p", {className: "small"}, "Looking …"));
  try {
    const found = await songsOf(cluster.id, songs.children.length, PAGE);
    remember(found);
    songs.append(...found.map(song => songLine(song, "all")));
    foot.replaceChildren(...(songs.children.length < cluster.size ? [button("More songs", () => more(cluster, songs, foot))] : []));
  } catch (problem) {
    foot.replaceChildren(trouble(problem, {again: () => more(cluster, songs, foot)}));
  }
}
