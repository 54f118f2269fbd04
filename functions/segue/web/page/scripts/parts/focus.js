/** The focus never falls to the body: where what has it is taken away, an equal control has it, else what is around. */

import {find} from "../core/dom.js";

const AROUND = "section, form, aside, nav, main";
let last = null, around = [];

/** Keep the focus on the page. */
export function keepFocus() {
  document.addEventListener("focusin", ({target}) => {
    last = target;
    around = [];
    for (let one = target.parentElement; one; one = one.parentElement) if (one.matches(AROUND)) around.push(one);
  });
  document.addEventListener("focusout", () => setTimeout(() => { // what is being taken away is left before it is gone
    if (document.activeElement === document.body && usable(last)) last = null; // left by its own will
  }));
  new MutationObserver(() => {
    if (last && document.activeElement === document.body && !usable(last)) heir().focus({preventScroll: true});
  }).observe(document.body, {childList: true, subtree: true, attributes: true, attributeFilter: ["hidden", "disabled"]});
}

const usable = one => Boolean(one?.isConnected && !one.disabled && one.checkVisibility());

function heir() {
  const {key} = last.dataset, same = key && [...document.querySelectorAll("[data-key]")].find(one => one.dataset.key === key && usable(one));
  const place = same || around.find(usable) || find("#main");
  if (!same) place.tabIndex = -1;
  return place;
}
