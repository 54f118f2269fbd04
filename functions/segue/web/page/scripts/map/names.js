/** The names of single songs, written where the map is near enough: of those in sight some that lie apart. */

import {aborted, ask, latest, path} from "../core/api.js";
import {remember} from "../core/songs.js";
import {view} from "./camera.js";
import {SPAN} from "./points.js";

const FROM = 8; // times that the map is enlarged, beyond which songs are named
const WIDE = 150, HIGH = 46; // pixels of a field in which one song is named
const MOST = 60, PAUSE = 150; // names, and milliseconds without a movement before they are asked for

/** Keep the names on a chart as it is looked at: call what is returned whenever it moves. */
export function naming(chart) {
  const anew = latest(), known = new Map(); // row -> name
  let timer = 0;

  async function write() {
    const {all} = chart, found = inSight(chart), missing = found.map(point => all.rows[point]).filter(row => !known.has(row));
    try {
      if (missing.length) {
        const {songs} = await ask(path("songs", {rows: missing.join(",")}), {signal: anew()});
        remember(songs);
        songs.forEach((song, place) => known.set(missing[place], song.name));
      }
      if (all === chart.all) chart.named = found.map(point => ({place: chart.placeAt(point), name: known.get(all.rows[point])}));
      chart.redraw();
    } catch (problem) {
      if (!aborted(problem)) chart.named = []; // the map is read without them
    }
  }

  return () => {
    clearTimeout(timer);
    if (chart.camera[2] > FROM) timer = setTimeout(write, PAUSE);
    else chart.named = [];
  };
}

/** One point in each field of a grid that stays where it is on the plane while the map is dragged. */
function inSight({all: {places}, camera, size}) {
  const {left, top, scale} = view(camera, size), fields = new Map();
  const [wide, high] = [WIDE, HIGH].map(pixels => pixels * SPAN / scale);
  const [west, north] = [-left * SPAN / scale, -top * SPAN / scale], [east, south] = [west + size.width * SPAN / scale, north + size.height * SPAN / scale];
  for (let at = 0; at < places.length; at += 2) {
    const x = places[at], y = places[at + 1];
    if (x < west || x > east || y < north || y > south) continue;
    const field = `${Math.floor(x / wide)} ${Math.floor(y / high)}`;
    if (!fields.has(field)) fields.set(field, at / 2);
  }
  return [...fields.values()].slice(0, MOST);
}
