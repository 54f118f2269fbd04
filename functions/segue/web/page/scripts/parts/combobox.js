/**
 * A text field that offers choices as one types (https://www.w3.org/WAI/ARIA/apg/patterns/combobox/): by keyboard,
 * mouse and touch.
 */

import {aborted, latest} from "../core/api.js";
import {announce, el, find} from "../core/dom.js";
import {counted} from "../core/words.js";

const TOUCHED = matchMedia("(pointer: coarse)");
const PAUSE = 120; // milliseconds without a key before something is asked for

/**
 * Make a combobox of a field and an empty list beside it.
 *
 * offer(text, signal) : resolves to choices for a text, which may be empty
 * show(choice) : the content of an option
 * choose(choice) : takes what was chosen
 * submit(text) : takes a text for which nothing was chosen
 */
export function combobox(input, list, {offer, show, choose, submit}) {
  const anew = latest();
  let choices = [], picked = -1, timer = 0;

  function close() {
    clearTimeout(timer);
    anew();
    list.hidden = true;
    choices = [];
    pick(-1);
    input.setAttribute("aria-expanded", "false");
  }

  function pick(place) {
    picked = place;
    [...list.children].forEach((option, at) => option.setAttribute("aria-selected", String(at === place)));
    if (place < 0) input.removeAttribute("aria-activedescendant");
    else {
      input.setAttribute("aria-activedescendant", list.children[place].id);
      list.children[place].scrollIntoView({block: "nearest"});
    }
  }

  function open(offered) {
    choices = offered;
    list.replaceChildren(...offered.map((choice, place) => el("li", {
      id: `${list.id}-${place}`, role: "option", "aria-selected": "false",
      onpointerdown: event => event.preventDefault(), // the field keeps the focus
      onclick: () => take(choice),
    }, show(choice))));
    picked = -1;
    input.removeAttribute("aria-activedescendant");
    list.hidden = !offered.length;
    input.setAttribute("aria-expanded", String(Boolean(offered.length)));
    if (input.value.trim()) announce(offered.length ? `${counted(offered.length, "suggestion")}.` : "No suggestions.");
  }

  async function suggest() {
    try {
      const offered = await offer(input.value.trim(), anew());
      if (document.activeElement === input) open(offered);
    } catch (error) {
      if (!aborted(error)) close(); // who presses Enter is told what is wrong
    }
  }

  function take(choice) {
    close();
    choose(choice);
    settle();
  }

  /** Have the keyboard of a phone go, once something is chosen. */
  function settle() {
    if (TOUCHED.matches) find("#main").focus({preventScroll: true});
  }

  function moved(step) {
    if (list.hidden) return suggest();
    const places = choices.length + 1; // the field itself is one
    return pick(((picked + 1 + step + places) % places) - 1);
  }

  function pressed(event) {
    const steps = {ArrowDown: 1, ArrowUp: -1};
    if (event.isComposing) return;
    if (event.key in steps) {
      event.preventDefault();
      moved(steps[event.key]);
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      close();
    } else if (event.key === "Enter") {
      event.preventDefault();
      const text = input.value.trim(), choice = choices[picked];
      close();
      if (choice) choose(choice);
      else if (text) submit(text);
      if (choice || text) settle();
    }
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(suggest, PAUSE);
  });
  input.addEventListener("keydown", pressed);
  input.addEventListener("blur", close);
  input.addEventListener("click", () => list.hidden && suggest());
  return {close};
}

/** The field and the list of a combobox, to be placed; `name` is what the field is for. */
export function comboboxParts(id, name, placeholder) {
  const input = el("input", {
    id, type: "search", maxLength: 200, placeholder, enterKeyHint: "search", autocomplete: "off", spellcheck: false,
    role: "combobox", "aria-label": name, "aria-autocomplete": "list", "aria-controls": `${id}-choices`, "aria-expanded": "false",
  });
  const list = el("ul", {id: `${id}-choices`, className: "choices", role: "listbox", "aria-label": name, hidden: true});
  return {input, list};
}
