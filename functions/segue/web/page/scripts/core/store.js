/** The state of the page: kept in its address, changed in one place, told to whoever shows a part of it. */

import {EMPTY, read, write} from "./address.js";

const listeners = [];
let state = read(location.hash);

/** What the page shows now; only `change` changes it. */
export const now = () => state;

/** Call a function with the state and the one before, at once and after each change. */
export function watch(listener) {
  listeners.push(listener);
  listener(state, null);
}

/**
 * Change some of the state. Back leads to what was shown before, unless the address is replaced: a slider that is
 * dragged leaves one step behind, not a hundred.
 */
export function change(some, {replace = false} = {}) {
  const next = {...state, ...some};
  const address = location.pathname + location.search + write(next);
  if (replace || write(next) === write(state)) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  move(next);
}

/** Begin anew from seeds; artists that are never wanted stay out, and the playlist stays. */
export function start(seeds, {replace = false, targets = EMPTY.targets, view = EMPTY.view} = {}) {
  const {never, clean, list, name} = state;
  change({...EMPTY, seeds, targets, never, clean, list, name, view}, {replace});
}

/** Begin anew from a song, in the view and at the place of the map where one is. */
export function explore(id) {
  change({seeds: [{kind: "song", key: id, less: false}], draw: EMPTY.draw, limit: EMPTY.limit});
}

function move(next) {
  const before = state;
  state = next;
  for (const listener of listeners) listener(state, before);
}

addEventListener("popstate", () => move(read(location.hash)));
