/** The families of the catalogue on the page as it opens: of each some clusters, and all where somebody asks. */

import {EMPTY, write} from "../core/address.js";
import {families} from "../core/catalogue.js";
import {button, el, find} from "../core/dom.js";
import {count} from "../core/words.js";

const FIRST = 3; // clusters of a family, before all are asked for

/** Show the families before anything is searched for. */
export async function showFamilies() {
  const all = await families(), place = find("#corners");
  const members = all.flatMap(({clusters}) => clusters), left = all.some(({clusters}) => clusters.length > FIRST);
  place.replaceChildren(el("h2", {id: "corners-title"}, "Or wander in a corner of the catalogue"),
    el("div", {className: "families"}, all.map(family)), left && everyCluster(place, members.length));
  place.hidden = false;
}

function family({name, clusters}) {
  return el("div", {className: "family"}, el("h3", {}, name), el("ul", {}, clusters.map(({id, name: text}, at) =>
    el("li", {hidden: at >= FIRST, data: {more: String(at >= FIRST)}}, el("a", {href: write({...EMPTY, view: "map", cluster: id})}, text)))));
}

/** The button that shows the clusters that are left out, and hides them again. */
function everyCluster(place, number) {
  const all = `All ${count(number)} clusters`;
  const made = button(all, () => {
    const open = made.getAttribute("aria-expanded") !== "true";
    made.setAttribute("aria-expanded", String(open));
    made.textContent = open ? "Fewer clusters" : all;
    for (const item of place.querySelectorAll("[data-more=true]")) item.hidden = !open;
  }, {className: "every", "aria-expanded": "false"});
  return made;
}
