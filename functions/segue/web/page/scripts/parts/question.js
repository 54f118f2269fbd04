/** A playlist is never replaced without asking. */

import {button, el} from "../core/dom.js";
import {MOST_LISTED} from "../core/address.js";
import {change, now} from "../core/store.js";
import {counted} from "../core/words.js";
import {changeAndTell} from "./notice.js";

/** Make songs, by id, the playlist, with more that changes then; where there is another one, ask in `place` first. */
export function takeAsPlaylist(ids, place, more = {}) {
  const {list} = now(), added = [...new Set([...list, ...ids])];
  place.replaceChildren();
  if (!list.length || String(list) === String(ids)) return change({...more, list: ids});
  const answer = (text, some, said) => button(text, () => {
    place.replaceChildren();
    if (some) changeAndTell({...more, ...some}, said);
  });
  const replace = answer(`Replace ${list.length === 1 ? "it" : "them"}`, {list: ids}, "The playlist is another one now.");
  place.replaceChildren(el("div", {className: "question", role: "group", "aria-label": "The playlist"},
    el("p", {}, `The playlist has ${counted(list.length, "song")} already, the new one ${ids.length}.`),
    el("p", {className: "actions"}, replace,
      added.length <= MOST_LISTED && answer("Add to the end", {list: added}, `${counted(added.length - list.length, "song")} added.`),
      answer("Keep it as it is", null))));
  replace.focus();
  return undefined;
}
