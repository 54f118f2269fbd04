/** Moving the camera over the map, at once for who wants no motion. */

import {between} from "./camera.js";

const LONG = 450; // milliseconds
const still = matchMedia("(prefers-reduced-motion: reduce)");
const under = new WeakMap(); // chart -> the flight that it is on

/** Fly to a camera; another flight, or a hand, ends this one. */
export function fly(chart, to, {atOnce = false} = {}) {
  const from = chart.camera, began = performance.now(), flight = {};
  under.set(chart, flight);

  function step() {
    if (under.get(chart) !== flight) return;
    const part = atOnce || still.matches ? 1 : Math.min(1, (performance.now() - began) / LONG);
    chart.look(part < 1 ? between(from, to, 1 - (1 - part) ** 3) : to);
    if (part < 1) requestAnimationFrame(step);
  }

  step();
}

/** End a flight where it is. */
export const land = chart => under.delete(chart);
