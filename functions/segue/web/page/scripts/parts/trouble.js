/** What went wrong, in words, and what can be done. */

import {by} from "../core/words.js";
import {button, el} from "../core/dom.js";

/**
 * A problem as a person reads it.
 *
 * again : asks anew; what passes by itself is asked again once it is worth it, for as long as the problem is shown
 * take(song) : takes one of the songs that may have been meant
 * more : further buttons
 */
export function trouble(problem, {again, take, more = []} = {}) {
  const faults = problem.faults ?? [];
  const meant = take ? problem.suggestions ?? [] : [];
  const made = el("div", {className: "trouble", role: "alert"},
    el("p", {className: "trouble-said"}, sentence(problem.message)),
    problem.unreached && el("p", {}, "What you see stays. It goes on once the service can be reached."),
    faults.length > 0 && el("ul", {}, faults.map(fault => el("li", {}, sentence(fault)))),
    meant.length > 0 && el("p", {}, "Did you mean:"),
    meant.length > 0 && el("p", {className: "actions"}, meant.map(song => button(`${song.name} · ${by(song)}`, () => take(song)))),
    el("p", {className: "actions"}, again && button("Try again", again, {"data-key": "again"}), more));
  if (again && problem.wait) repeat(made, problem.wait, again);
  return made;
}

/** Ask again after some seconds, and tell how many are left. */
function repeat(made, seconds, again) {
  const left = el("span", {}, seconds), ends = performance.now() + 1000 * seconds;
  made.append(el("p", {className: "small", "aria-live": "off"}, "It is tried again by itself in ", left, " s."));
  const timer = setInterval(() => {
    const rest = Math.ceil((ends - performance.now()) / 1000);
    if (!made.isConnected || rest <= 0) clearInterval(timer);
    if (made.isConnected && rest <= 0) again();
    left.textContent = String(Math.max(0, rest));
  }, 250);
}

function sentence(text) {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
