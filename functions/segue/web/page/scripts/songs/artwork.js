/** Pictures of songs: those that the table names, else Spotify's, which is asked only where somebody has agreed to that. */

import {announce, button, el, icon, keepingFocus} from "../core/dom.js";
import {linkIn} from "../core/songs.js";
import {ICONS} from "../parts/icons.js";

const PICTURE = /(^|_)(artwork|cover|image|picture|thumbnail)(_|$)/i; // columns of a table that name one
const AGREED = "segue.artwork"; // in this browser
const SPOTIFY = "https://open.spotify.com/oembed?url="; // https://developer.spotify.com/documentation/embeds/reference/oembed
const found = new Map(); // song -> {address, asked}, where `asked` says whether it is Spotify's

/** The picture of a song, and where there may be one at Spotify the button that asks for it or no longer does. */
export function artwork(song) {
  const place = el("div", {className: "artwork"}), asks = el("span", {className: "artwork-asks"});
  draw(song, place, asks);
  return {place, asks};
}

async function draw(song, place, asks) {
  if (found.has(song.id)) return told(song, place, asks);
  const own = await linkIn(song, PICTURE).catch(() => null);
  const address = own ?? (song.link && agreed() ? await thumbnail(song).catch(() => null) : null);
  if (address) found.set(song.id, {address, asked: !own});
  else if (song.link && agreed()) announce("Spotify gives no picture of this song.");
  return own || song.link ? told(song, place, asks) : undefined;
}

function told(song, place, asks) {
  const {address, asked = true} = found.get(song.id) ?? {}, on = asked && agreed();
  place.replaceChildren(...(address ? [el("img", {src: address, alt: "", width: 88, height: 88, onerror: () => place.replaceChildren()})] : []));
  asks.replaceChildren(...(asked ? [button(icon(ICONS.picture), () => turn(!on, song, place, asks), {
    label: on ? "Hide artwork" : "Show artwork", title: on ? "Hide artwork" : "Show artwork, which asks Spotify for it", className: "round", "data-key": "artwork",
  })] : []));
}

function turn(on, song, place, asks) {
  agree(on);
  found.clear();
  keepingFocus(asks, () => told(song, place, asks));
  return draw(song, place, asks);
}

async function thumbnail({link}) {
  const answer = await fetch(SPOTIFY + encodeURIComponent(link), {credentials: "omit"});
  return answer.ok ? (await answer.json()).thumbnail_url : null;
}

function agreed() {
  try {
    return localStorage.getItem(AGREED) === "yes";
  } catch {
    return false;
  }
}

function agree(on) {
  try {
    if (on) localStorage.setItem(AGREED, "yes");
    else localStorage.removeItem(AGREED);
  } catch {
    // a private window may keep nothing
  }
}
