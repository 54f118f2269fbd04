/**
 * Where the map is looked at: the middle, 0..1 of the plane's side each way, and how many times it is enlarged.
 *
 * `size` is that of a canvas: {width, height}.
 */

const FILLED = 0.94; // of the shorter side, by the whole plane

export const WHOLE = Object.freeze([0.5, 0.5, 1]);
export const NEAREST = 400;

/** How a canvas shows the plane: x is drawn at left + scale * x, y at top + scale * y. */
export function view([x, y, zoom], {width, height}) {
  const scale = FILLED * Math.min(width, height) * zoom;
  return {scale, left: width / 2 - scale * x, top: height / 2 - scale * y};
}

/** The camera after the plane was dragged by some pixels. */
export function dragged([x, y, zoom], size, right, down) {
  const {scale} = view([x, y, zoom], size);
  return [bounded(x - right / scale, 0, 1), bounded(y - down / scale, 0, 1), zoom];
}

/** The camera that enlarges by a factor more, so that what is drawn at a pixel stays there. */
export function zoomed(at, size, factor, px = size.width / 2, py = size.height / 2) {
  const zoom = bounded(at[2] * factor, 1, NEAREST);
  const before = view(at, size), after = view([at[0], at[1], zoom], size);
  const u = (px - before.left) / before.scale, v = (py - before.top) / before.scale;
  return dragged([at[0], at[1], zoom], size, px - (after.left + after.scale * u), py - (after.top + after.scale * v));
}

/** The camera that shows a box, {left, top, right, bottom}, 0..1, and what lies around it. */
export function around({left, top, right, bottom}, closest = NEAREST) {
  const zoom = bounded(0.55 / Math.max(right - left, bottom - top, 0.01), 1, closest);
  return [(left + right) / 2, (top + bottom) / 2, zoom];
}

/** The camera at a part of the way, 0..1, from one to another. */
export function between(from, to, part) {
  const zoom = from[2] * (to[2] / from[2]) ** part;
  const moved = Math.abs(to[2] - from[2]) < 1e-9 ? part : (1 / zoom - 1 / from[2]) / (1 / to[2] - 1 / from[2]);
  return [from[0] + (to[0] - from[0]) * moved, from[1] + (to[1] - from[1]) * moved, zoom];
}

const bounded = (value, from, to) => Math.min(to, Math.max(from, value));
