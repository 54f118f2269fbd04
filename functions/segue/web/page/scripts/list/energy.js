/** How the energy of a list goes, song by song, as a line. */

import {el, svg} from "../core/dom.js";

const HIGH = 40;

/** A line of the energies of songs, of which some may be unknown; nothing for fewer than three. */
export function energyLine(songs) {
  const known = songs.map((song, place) => [place, song?.features?.energy]).filter(([, energy]) => typeof energy === "number");
  if (known.length < 3) return null;
  const points = known.map(([place, energy]) => `${place},${(HIGH * (1 - energy)).toFixed(1)}`);
  const [first, last] = [known[0], known.at(-1)].map(([, energy]) => Math.round(100 * energy));
  return el("figure", {className: "energy"},
    el("figcaption", {}, `Energy, from ${first} % to ${last} %`),
    svg("svg", {viewBox: `0 0 ${songs.length - 1} ${HIGH}`, preserveAspectRatio: "none", "aria-hidden": "true"},
      svg("polyline", {points: points.join(" "), "vector-effect": "non-scaling-stroke"})));
}
