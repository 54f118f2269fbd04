/** How a slider changes the state while it moves. */

import {el} from "../core/dom.js";
import {change} from "../core/store.js";

const PAUSE = 90; // milliseconds between two requests while a slider moves
let timer = 0, dragged = false;

/** Change the state as a slider moves: one step of Back for a whole drag. */
export function moves(input, patch) {
  input.addEventListener("input", () => {
    timer ||= setTimeout(() => { // the list follows a slider that goes on moving
      timer = 0;
      change(patch(Number(input.value)), {replace: dragged});
      dragged = true;
    }, PAUSE);
  });
  input.addEventListener("change", () => setTimeout(() => { dragged = false; }, 2 * PAUSE));
}

/** Whether a slider is being moved, and stands where the hand is. */
export const moving = input => document.activeElement === input && dragged;

/** The words at both ends of a slider. */
export const ends = ([low, high]) => el("span", {className: "dial-ends", "aria-hidden": "true"}, el("span", {}, low), el("span", {}, high));
