/** The player, loaded with the first song: what is heard, where in its row, what comes next, and who plays it. */

import {following, now} from "./state.js";
import {aborted, ask, latest, linkIn, remember} from "./service.js";
import {announce, button, by, el, find, icon, ICONS} from "./elements.js";
import {append, current, heard, pause, radio, restore, skip, step, stop, undoable, watchQueue} from "./controls.js";

const LONG = 0.5; // part of a song after which leaving it is no dislike
const AHEAD = 3, MORE = 10; // songs that a radio has in advance, and that it asks for at a time
const place = find("#player");
const name = el("p", {className: "player-name"}), next = el("p", {className: "player-next"}), stage = el("div", {className: "player-stage"});
const back = tool("back", "The song before", () => step(-1));
const going = tool("pause", "Pause", () => pause(!heard().paused));
const on = tool("next", "Next song", leave);
const endless = button("Radio", () => radio(!heard().radio), {className: "pill", title: "Go on with songs that follow"});
const less = button("Less of this", lessOfThis, {className: "pill"});
const anew = latest(), loaded = latest();
let shown = null, source = null, asking = null, still = false;

/** Show the player, and keep it as the row wants it. */
export function showPlayer() {
  place.replaceChildren(name, el("p", {className: "player-tools"}, back, going, on, endless, less,
    tool("close", "Close the player", close)), stage, next);
  watchQueue(draw);
}

function draw(queue) {
  const song = current(), {songs, at, paused} = queue, coming = songs[at + 1];
  place.hidden = !songs.length;
  document.documentElement.classList.toggle("hearing", songs.length > 0);
  if (song !== shown) load(song);
  if (!songs.length) return undefined;
  if (source && paused !== still) source.pause(still = paused);
  back.disabled = at === 0;
  on.disabled = !coming && !queue.radio;
  going.replaceChildren(icon(paused ? ICONS.play : ICONS.pause));
  going.setAttribute("aria-label", paused ? "Play" : "Pause");
  endless.setAttribute("aria-pressed", String(queue.radio));
  less.hidden = !queue.radio;
  if (song) next.replaceChildren(`${at + 1} of ${songs.length}${queue.radio ? " and on" : ""}`,
    ...(coming ? [", next ", el("bdi", {}, coming.name), " · ", el("bdi", {}, by(coming))] : []), source?.note ? `. ${source.note}` : "");
  return queue.radio && songs.length - at <= AHEAD ? goOn(queue) : undefined;
}

async function load(song, how) {
  const signal = loaded();
  shown = song;
  source?.end();
  source = null;
  stage.replaceChildren();
  name.replaceChildren("Choosing what follows …");
  if (!song) return undefined;
  name.replaceChildren(el("bdi", {className: "song-name"}, song.name), " · ", el("bdi", {}, by(song)));
  announce(`Now ${song.name}, ${by(song)}.`);
  const ours = work => (...told) => song === shown && work(...told);
  const found = await sourceOf(song, {paused: ours(pause), ended: ours(over), failed: ours(() => load(song, {files: false}))}, how);
  if (signal.aborted) return found.end();
  [source, still] = [found, false];
  stage.replaceChildren(found.element, ...(song.link ? [el("a", {className: "small", href: song.link, rel: "noopener noreferrer", target: "_blank"}, "at Spotify")] : []));
  return draw(heard());
}

/** A song has ended: the next one, or silence after the last. */
function over() {
  if (heard().songs[heard().at + 1]) step(1);
  else pause(true);
}

/** Ask for the songs that follow what was played, without what was skipped. */
async function goOn({songs, skipped}) {
  if (asking === songs) return;
  asking = songs;
  try {
    const answer = await ask("continue", {body: following(songs.map(({id}) => id), skipped, MORE, now()), signal: anew()});
    remember(answer.songs);
    append(answer.songs, songs);
  } catch (problem) {
    asking = null;
    if (!aborted(problem)) next.textContent = `The radio can’t go on: ${problem.message}`;
  }
}

/** Go on to the next song; one that began a radio or was heard for long is left without dislike. */
function leave() {
  const {radio: endless, at} = heard();
  if (endless && at > 0 && source?.part() < LONG) skip();
  else step(1);
}

/** Leave the song, and have nothing like it from here on. */
function lessOfThis() {
  const before = heard(), {name: title} = current();
  skip({renewed: true});
  undoable(`Less like ${title} from here on.`, () => restore(before));
}

function close() {
  const opener = document.querySelector(`[data-play="${CSS.escape(current()?.id ?? "")}"]`);
  stop();
  (opener ?? find("#main")).focus();
}

function tool(kind, label, onclick) {
  return button(icon(ICONS[kind]), onclick, {label, title: label, className: "round"});
}

// --- who plays a song ---

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
async function sourceOf(song, told, {files = true} = {}) {
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
