/** What is pointed at on the map is named, what is pressed is taken. */

import {aborted, latest} from "../core/api.js";
import {announce, el} from "../core/dom.js";
import {by} from "../core/words.js";
import {songAt} from "./points.js";

const REACH = 14, TOUCH = 28; // pixels from a point to a pointer or a finger
const REST = 250; // milliseconds after the last key before the song in the middle is named
const PAUSE = 60; // milliseconds that a pointer rests before a song is asked for
const HIGH = 90; // pixels above a point that its name takes

/** The name that appears at what is pointed at, and what to do when the pointer moves or presses, or the middle is moved by keys. */
export function pointing(chart, {song: take, label: lead}) {
  const tip = el("p", {className: "tip", hidden: true, "aria-hidden": "true"}), anew = latest();
  let timer = 0, pointer = [];

  function point(x, y) {
    pointer = [x, y];
    const label = x === undefined ? undefined : chart.labelAt(x, y), found = x === undefined || label ? -1 : chart.under(x, y, REACH);
    chart.top.classList.toggle("pointing", found >= 0 || Boolean(label));
    if (found === chart.pointed) return;
    clearTimeout(timer);
    chart.pointed = found;
    chart.redraw();
    tip.hidden = true;
    if (found >= 0) timer = setTimeout(() => name(found), PAUSE);
  }

  async function name(found, {spoken = false} = {}) {
    try {
      const song = await songAt(chart.all, found, anew());
      if (found !== chart.pointed) return;
      show(song, chart.at(chart.placeAt(found)));
      if (spoken) announce(`${song.name}, ${by(song)}.`);
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

  /** Name what lies in the middle, which has been moved by keys. */
  function cross(x, y) {
    clearTimeout(timer);
    chart.pointed = chart.under(x, y, TOUCH);
    chart.redraw();
    tip.hidden = true;
    if (chart.pointed >= 0) timer = setTimeout(() => name(chart.pointed, {spoken: true}), REST);
  }

  async function press(x, y, {song: only = false} = {}) {
    const label = only ? undefined : chart.labelAt(x, y), found = chart.under(x, y, TOUCH);
    if (label) return lead(label);
    if (found < 0) return undefined;
    try {
      take(await songAt(chart.all, found));
    } catch (problem) {
      announce(problem.message);
      tip.replaceChildren(problem.message);
      tip.hidden = false;
    }
    return undefined;
  }

  chart.onDraw = () => point(...pointer);
  return {tip, point, press, cross};
}
