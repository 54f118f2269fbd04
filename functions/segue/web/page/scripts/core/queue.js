/**
 * What is heard: songs in a row, the place among them, whether it is paused, and whether it goes on by itself as a
 * radio. Nothing plays here: the player watches.
 */

const SILENT = Object.freeze({songs: [], at: 0, paused: false, radio: false, skipped: []});
const listeners = [];
let queue = SILENT;

/** The row as it is. */
export const heard = () => queue;

/** The song that is heard; null where none is. */
export const current = () => queue.songs[queue.at] ?? null;

/** Call a function with the row, at once and after each change. */
export function watchQueue(listener) {
  listeners.push(listener);
  listener(queue);
}

/** Hear songs from a place on. */
export const play = (songs, {at = 0, radio = false} = {}) => move({songs, at, paused: false, radio, skipped: []});

/** Pause, or go on. */
export const pause = paused => paused !== queue.paused && move({...queue, paused});

/** Hear the song that is some places away, if there is one; the radio has one after the last. */
export function step(by) {
  const {songs, at, radio: endless} = queue, to = at + by;
  if (songs[to] || (endless && to === songs.length)) move({...queue, at: to, paused: false});
}

/** Leave a song because it is not liked: the radio is told; with `renewed` what was to come is chosen anew. */
export function skip({renewed = false} = {}) {
  const {songs, at, skipped} = queue, left = renewed ? songs.slice(0, at + 1) : songs;
  move({...queue, songs: left, skipped: [...skipped, songs[at].id], at: Math.min(at + 1, left.length), paused: false});
}

/** Go on as a radio once the row ends, or do not. */
export const radio = on => move({...queue, radio: on});

/** Add songs at the end; `after` is the row that they follow, and they are dropped where it is another by now. */
export const append = (songs, after) => after === queue.songs && move({...queue, songs: [...queue.songs, ...songs]});

/** Hear what was heard before, as a row that heard() gave. */
export const restore = before => move(before);

/** Hear nothing. */
export const stop = () => move(SILENT);

function move(next) {
  queue = next;
  for (const listener of listeners) listener(queue);
}
