/** What is pointed at on the map is named, what is pressed is taken. */

import {aborted, latest} from "../core/api.js";
import {announce, el} from "../core/dom.js";
import {by} from "../core/words.js";
import {songAt} from "./points.js";

const REACH = 14, TOUCH = 28; // pixels from a point to a pointer or a finger
const PAUSE = 60; // milliseconds that a pointer rests before a song is asked for
const HIGH = 90; // pixels above a point that its name takes

/** The name that appears at what is pointed at, and what to do when the pointer moves or presses. */
export function pointing(chart, take) {
  const tip = el("p", {className: "tip", hidden: true, "aria-hidden": "true"}), anew = latest();
  let timer = 0;

  function point(x, y) {
    const found = x === undefined ? -1 : chart.under(x, y, REACH);
    if (found === chart.pointed) return;
    clearTimeout(timer);
    chart.pointed = found;
    chart.top.classList.toggle("pointing", found >= 0);
    chart.redraw();
    tip.hidden = true;
    if (found >= 0) timer = setTimeout(() => name(found), PAUSE);
  }

  async function name(found) {
    try {
      const song = await songAt(chart.all, found, anew());
      if (found === chart.pointed) show(song, chart.at(chart.placeAt(found)));
    } catch (problem) {
      if (!aborted(problem)) tip.hidden = true; // who presses is told what is wrong
    }
  }

  function show(song, [x, y]) {
    tip.replaceChildren(el("bdi", {className: "tip-name"}, song.name), el("bdi", {}, by(song)));
    tip.style.setProperty("--x", `${Math.min(Math.max(x, 130), chart.size.width - 130)}px`);
    tip.style.setProperty("--y", `${y}px`);
    tip.classList.toggle("below", y < HIGH);
    tip.hidden = false;
  }

  async function press(x, y) {
    const found = chart.under(x, y, TOUCH);
    if (found < 0) return;
    try {
      take(await songAt(chart.all, found));
    } catch (problem) {
      announce(problem.message);
      tip.replaceChildren(problem.message);
      tip.hidden = false;
    }
  }

  return {tip, point, press};
}
