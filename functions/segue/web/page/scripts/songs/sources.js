/** Where a song is heard: from a file that the table names, in Spotify's player, or wherever a search finds it. */

import {el} from "../core/dom.js";
import {linkIn} from "../core/songs.js";
import {by} from "../core/words.js";

const FILE = /(^|_)(preview|audio|sample|stream|mp3)(_|$)/i; // columns of a table that name one
const OVER = 1000; // milliseconds before its end after which a song that stops has ended
const SEARCHES = [
  ["YouTube", "https://www.youtube.com/results?search_query="],
  ["Apple Music", "https://music.apple.com/search?term="],
];

/**
 * What plays a song: {element, note, pause(paused), part(), end()}, part() being how far it was heard, 0..1.
 *
 * paused(is) : is called when it pauses or goes on; ended() : when it is over; failed() : where there is no such file
 */
export async function sourceOf(song, told, {files = true} = {}) {
  const file = files && await linkIn(song, FILE).catch(() => null);
  if (file) return audio(song, file, told);
  return song.link ? spotify(song, told) : searches(song);
}

function audio({name}, file, {paused, ended, failed}) {
  const element = el("audio", {
    src: file, controls: true, autoplay: true, "aria-label": name,
    onplay: () => paused(false), onpause: () => paused(true), onended: ended, onerror: failed,
  });
  return {element, note: "", pause: is => (is ? element.pause() : element.play().catch(() => paused(true))), part: () => element.currentTime / element.duration || 0, end: () => element.pause()};
}

/**
 * Spotify's player in a frame. It is told what to do, and tells how far it is, by the messages of the iFrame API
 * (https://developer.spotify.com/documentation/embeds/references/iframe-api), whose script is not needed for that.
 */
function spotify({link, name}, {paused, ended}) {
  const {origin} = new URL(link), listening = new AbortController();
  const element = el("iframe", {
    src: link.replace("/track/", "/embed/track/"), title: `Spotify plays ${name}`, height: 80,
    allow: "autoplay; clipboard-write; encrypted-media; fullscreen; picture-in-picture",
  });
  const say = command => element.contentWindow?.postMessage({command}, origin);
  let farthest = 0, part = 0;

  function update({isPaused, position = 0, duration = 0}) {
    farthest = Math.max(farthest, position);
    part = farthest / duration || 0;
    if (isPaused && duration && farthest > duration - OVER) {
      farthest = 0;
      ended();
    } else if (position) paused(isPaused); // before the first sound every song is paused
  }

  addEventListener("message", event => {
    if (event.source !== element.contentWindow || event.origin !== origin) return;
    if (event.data?.type === "ready") ["load_complete_ack", "play"].forEach(say);
    if (event.data?.type === "playback_update") update(event.data.payload ?? {});
  }, {signal: listening.signal});
  return {element, note: "Without a login Spotify plays 30 seconds.", pause: is => say(is ? "pause" : "resume"), part: () => part, end: () => listening.abort()};
}

function searches(song) {
  const words = encodeURIComponent(`${by(song)} ${song.name}`);
  const element = el("p", {className: "player-links"}, "Hear it at ", SEARCHES.map(([name, address], place) => [
    place > 0 && " or ", el("a", {href: address + words, rel: "noopener noreferrer", target: "_blank"}, name)]));
  return {element, note: "", pause: () => {}, part: () => 1, end: () => {}};
}
