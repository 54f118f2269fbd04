/** What has just been done, in words, with a button that undoes it: until it is undone, closed, or something else is done. */

import {announce, button, el, find, icon} from "../core/dom.js";
import {change, now, watch} from "../core/store.js";
import {ICONS} from "./icons.js";

const place = find("#notice");
let begun = null; // the state that the notice is about

watch(state => state !== begun && hide());

/** Change some of the state and say what was done, in a sentence. */
export function changeAndTell(some, said) {
  const before = now(), key = focused();
  change(some);
  undoable(said, () => change(Object.fromEntries(Object.keys(some).map(name => [name, before[name]]))), key);
}

/** Say what was done; `undo` takes it back, and what had the focus, by its key, has it again. */
export function undoable(said, undo, key = focused()) {
  begun = now();
  place.hidden = false;
  place.replaceChildren(el("p", {}, said), button("Undo", () => {
    hide();
    undo();
    setTimeout(() => refocus(key)); // once what was there is drawn again
    announce("Undone.");
  }, {"data-key": "undo"}), button(icon(ICONS.close), hide, {label: "Close this message", className: "round"}));
  announce(said);
}

const focused = () => document.activeElement?.dataset.key;

function hide() {
  place.hidden = true;
  place.replaceChildren();
}

function refocus(key) {
  (key && [...document.querySelectorAll("[data-key]")].find(one => one.dataset.key === key) || find("#main")).focus({preventScroll: true});
}
