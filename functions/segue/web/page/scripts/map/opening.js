/** The map beside the opening question, or below it on narrow pages: a picture that leads to the map itself. */

import {el, find} from "../core/dom.js";
import {Chart} from "./chart.js";
import {overview} from "./points.js";

/** Show the map there; nothing where it can't be had, for the view of the map tells what is wrong. */
export async function showOpening() {
  const all = await overview().catch(() => null);
  find("#opening").hidden = !all;
  if (!all) return;
  const {canvases} = new Chart(all);
  for (const canvas of canvases) canvas.setAttribute("aria-hidden", "true");
  find("#opening").replaceChildren(...canvases, el("span", {className: "unseen"}, "The map of the songs"));
}
