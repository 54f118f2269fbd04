/** Tells that the service is being waited for, which takes seconds when it was asleep. */

import {watchWaits} from "../core/api.js";
import {announce, find} from "../core/dom.js";

const LONG = 1; // seconds after which a first answer means that the service was asleep
let answered = false;
let longest = 0;

/** Show waits in the line for them. */
export function showWaits() {
  const line = find("#wait");
  watchWaits(seconds => {
    if (seconds === null) ended(line);
    else waits(line, seconds);
  });
}

function waits(line, seconds) {
  if (!longest) announce(said());
  longest = Math.max(longest, seconds);
  line.hidden = false;
  line.classList.add("waiting");
  line.textContent = `${said()} ${seconds.toFixed(1)} s`;
}

function ended(line) {
  if (longest) {
    line.classList.remove("waiting");
    line.textContent = !answered && longest >= LONG ? `It was asleep and woke up in ${longest.toFixed(1)} s.` : "";
    line.hidden = !line.textContent;
  }
  answered = true;
  longest = 0;
}

const said = () => (answered ? "Still looking …" : "Waking up the service …");
