/** The point that is nearest to a place, found through a grid. */

const SIDE = 256; // fields of the grid each way
const FIELD = 65536 / SIDE; // units of a field's side

/**
 * An index of points.
 *
 * places : Uint16Array of x, y, x, y, ...
 * Returns nearest(x, y, reach): the number of the nearest point no farther away than `reach`, or -1.
 */
export function indexed(places) {
  const starts = new Uint32Array(SIDE * SIDE + 1), order = new Uint32Array(places.length / 2);
  const field = at => Math.floor(places[at + 1] / FIELD) * SIDE + Math.floor(places[at] / FIELD);
  for (let at = 0; at < places.length; at += 2) starts[field(at) + 1] += 1;
  for (let one = 0; one < SIDE * SIDE; one += 1) starts[one + 1] += starts[one];
  const next = starts.slice(0, -1);
  for (let at = 0; at < places.length; at += 2) order[next[field(at)]++] = at / 2;
  return (x, y, reach) => nearest(x, y, reach, {places, starts, order});
}

function nearest(x, y, reach, {places, starts, order}) {
  const [left, right, top, bottom] = [x - reach, x + reach, y - reach, y + reach].map(clamped);
  let best = -1, least = reach * reach;
  for (let down = top; down <= bottom; down += 1) {
    for (let at = starts[down * SIDE + left]; at < starts[down * SIDE + right + 1]; at += 1) {
      const point = order[at], gap = (places[2 * point] - x) ** 2 + (places[2 * point + 1] - y) ** 2;
      if (gap <= least) [best, least] = [point, gap];
    }
  }
  return best;
}

const clamped = value => Math.min(SIDE - 1, Math.max(0, Math.floor(value / FIELD)));
