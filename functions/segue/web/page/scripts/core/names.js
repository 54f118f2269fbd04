/** The names of seeds, whose addresses hold ids: looked up once the page opens with some. */

import {recall} from "./songs.js";

const listeners = [];

/** What a seed is called; its id for as long as its song is not known. */
export const nameOf = ({kind, key}) => (kind === "song" ? recall(key)?.name ?? key : key);

/** Call a function when names have become known. */
export function watchNames(listener) {
  listeners.push(listener);
}

/** Tell that names have become known. */
export function named() {
  for (const listener of listeners) listener();
}
