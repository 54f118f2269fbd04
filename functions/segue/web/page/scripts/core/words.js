/** Numbers, lengths and lists as people read them. */

/** The artists of a song in one text. */
export const by = song => song.artists.join(", ") || "artist unknown";

/** A whole number with its thousands apart. */
export const count = number => number.toLocaleString("en");

/** `1 song`, `2 songs`. */
export const counted = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;

/** The length of a song: `3:45`. */
export function clock(milliseconds) {
  const seconds = Math.round(milliseconds / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** The length of a list: `42 min`, `1 h 5 min`. */
export function span(milliseconds) {
  const minutes = Math.round(milliseconds / 60_000);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(words) {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

const TAG = /\s*(?:[-–—]\s+|[([])[^-–—()[\]]*\b(?:remaster(?:ed)?|re-?mastered|mono|stereo|(?:single|album|radio|original) (?:version|edit|mix)|anniversary|deluxe|bonus track)\b[^()[\]]*[)\]]?$/iu;

/** A title without what only tells which release it is from: `Remastered 2011`, `Mono Version`. */
export const untagged = title => title.replace(TAG, "") || title;
