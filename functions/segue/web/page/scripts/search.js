/** The search and what the page opens with: what is typed is looked for, what is chosen begins a list. */

import {DIALS, EMPTY, now, start, watch, write} from "./state.js";
import {aborted, ask, families, knownSongs, remember, songCount, wellKnown} from "./service.js";
import {announce, button, by, count, el, find, listed, trouble, untagged} from "./elements.js";
import {combobox, playButton, takeAsPlaylist} from "./controls.js";
import {bare, begun, choicesFor, forget, keep, ofSong, recent, shown, walkFields} from "./find.js";

const field = find("#search");
const said = find("#search-said");

/** Set up the search. */
export function showSearch() {
  const {close} = combobox(field, find("#search-choices"), {offer, show: shown, choose, submit: look});
  find("#search-form").addEventListener("submit", event => {
    event.preventDefault();
    close();
    if (field.value.trim()) look(field.value.trim());
    else field.focus();
  });
  find("#surprise").addEventListener("click", surprise);
  watch((state, before) => {
    if (!before || state.seeds !== before.seeds) showRecent(state);
    if (before && state.seeds !== before.seeds) said.replaceChildren();
  });
}

/** Look for a text and begin with the best of what is found; say so where nothing is. */
export async function look(text, {replace = false} = {}) {
  field.value = text;
  said.replaceChildren();
  try {
    const choices = await choicesFor(text);
    if (!choices.length) return tell(`No song is called anything like “${text}”.`);
    if (sure(text, choices)) choose(choices[0], {replace});
    said.replaceChildren(...(await meaning(text, choices, choose)));
  } catch (problem) {
    if (linkSaid(text) && problem.status === 400) return tell(linkSaid(text));
    if (!aborted(problem)) said.replaceChildren(trouble(problem, {again: () => look(text, {replace})}));
  }
  return undefined;
}

function choose(choice, {replace = false} = {}) {
  keep(choice);
  field.value = "";
  const {seeds, targets} = begun(choice);
  start(seeds, {replace, targets, view: now().view === "map" ? "map" : "songs"});
}

async function offer(text, signal) {
  return text ? choicesFor(text, signal) : recent().map(choice => ({...choice, recent: true}));
}

async function surprise() {
  said.replaceChildren();
  try {
    const songs = await knownSongs(), song = songs[Math.floor(Math.random() * songs.length)];
    remember([song]);
    choose(ofSong(song));
  } catch (problem) {
    said.replaceChildren(trouble(problem, {again: surprise}));
  }
}

function tell(text) {
  said.replaceChildren(el("p", {className: "nothing"}, text));
  announce(text);
}

function showRecent(state) {
  const choices = state.seeds.length ? [] : recent();
  const forgotten = button("Forget these", () => {
    forget();
    showRecent(state);
    field.focus();
  }, {className: "quiet"});
  find("#recent").hidden = !choices.length;
  find("#recent").replaceChildren(el("h2", {}, "You looked for"),
    el("p", {className: "actions"}, choices.map(choice => button(choice.name, () => choose(choice), {className: "pill"})), forgotten));
}

// --- what a text was taken for ---

const OTHERS = 3, NEAREST = 5; // choices that are offered
const LINK = /(?:spotify:|open\.spotify\.com\/(?:[\w-]+\/)?)(album|playlist|show|episode|user|concert)[:/]/i;

const BEGUN = 3; // letters that begin a title
const TYPED = 0.75; // of the letters of a name, which a text needs to be that name with some missing

/** Whether the first choice is meant, typos aside, or only the nearest by name. */
const sure = (text, [{song}]) => song?.match !== "guess" || typed(text, song);

/** Whether a text begins the title of a song, or is the title, with the artist or without, but for missing letters. */
function typed(text, song) {
  const title = untagged(song.name);
  return [title, `${title} ${by(song)}`, `${by(song)} ${title}`].some(name => {
    const [short, long] = [bare(text), bare(name)].sort((one, other) => one.length - other.length);
    return short.length >= (long.startsWith(short) ? BEGUN : TYPED * long.length) && within(short, long);
  });
}

/** Whether the letters of one text stand in the other, in their order: with another letter it may be another word. */
function within(short, long) {
  let at = 0;
  for (const letter of long) if (letter === short[at]) at += 1;
  return at === short.length;
}

/**
 * What is said of a text, as elements; nothing where it can only have one meaning.
 *
 * choices : what was found, the best first; choose(choice) : begins with another
 */
async function meaning(text, choices, choose) {
  const [best, ...others] = choices, taken = await takenFor(text, best);
  const doubtful = sure(text, choices) ? others.filter(other => (best.song && best.song.match !== "exact") || bare(other.name) === bare(text)).slice(0, OTHERS) : choices.slice(0, NEAREST);
  if (!taken && !doubtful.length) return [];
  const asks = sure(text, choices) && doubtful.length ? `${taken ? "" : `You typed “${text}”. `}Not what you meant? ` : "";
  if (taken) announce(taken);
  return [el("p", {className: "meant"}, taken, taken && " ", asks,
    ...doubtful.map(choice => button(`${choice.name}${choice.note && ` · ${choice.note}`}`, () => choose(choice))))];
}

/** A sentence on the best choice; empty where that is what the text says. */
async function takenFor(text, {kind, name, song, described}) {
  if (described) return `Understood as ${listed([...described.genres, ...worded(described)])}.`;
  if (kind === "artist") return `${name} is an artist.`;
  if (song && !sure(text, [{song}])) return `“${text}” isn’t among ${count(await songCount().catch(() => 0))} songs. Nearest by name:`;
  if (song?.match === "title") return `“${song.name}” is here, but by ${by(song)}.`;
  return ["close", "guess"].includes(song?.match) ? `“${text}” was taken for “${song.name}” by ${by(song)}.` : "";
}

/** What a description says beside its genre, in words: values of dials and years. */
function worded({targets = {}, years}) {
  const turned = DIALS.filter(dial => dial.name in targets).map(dial => `${dial.label.toLowerCase()} ${dial.look(targets[dial.name])}`);
  return [...turned, years && (years[0] === years[1] ? `of ${years[0]}` : `from ${years[0]} to ${years[1]}`)].filter(Boolean);
}

/** A sentence on a link that leads to no song; null where the text is none. */
function linkSaid(text) {
  const kind = LINK.exec(text)?.[1].toLowerCase();
  return kind ? `This is a link to ${/^[ae]/.test(kind) ? "an" : "a"} ${kind}. Name one of its songs, or paste the link of a song or an artist.` : null;
}

// --- the opening ---

const FIRSTS = 6, STOPS = 8;

/** Show known songs and the form of a walk before anything is searched for. */
export async function showFirst() {
  const songs = await wellKnown(FIRSTS), place = find("#first");
  place.replaceChildren(el("h2", {id: "first-title"}, "Songs to begin with"),
    el("ol", {className: "firsts"}, songs.map(song => known(song, songs))), ...(songs.length > 1 ? [walkForm(songs)] : []));
  place.hidden = false;
}

function known(song, songs) {
  const {never, clean, list, name} = now();
  return el("li", {className: "line", data: {id: song.id}},
    el("a", {className: "title line-name", href: write({...EMPTY, never, clean, list, name, seeds: [{kind: "song", key: song.id, less: false}]})},
      el("bdi", {title: song.name}, untagged(song.name))),
    el("bdi", {className: "line-by"}, by(song)),
    el("span", {className: "line-keep"}, playButton(song, () => songs, {className: "round", "data-key": `first ${song.id}`})));
}

function walkForm(songs) {
  const {elements, fill, request} = walkFields("way"), said = el("div", {});
  const go = el("button", {type: "submit"}, "Draw the way");
  fill(...[songs[0], songs.at(-1)].map(ofSong));
  return el("form", {className: "way", "aria-label": "A walk over the map", onsubmit: async event => {
    event.preventDefault();
    if (go.ariaDisabled === "true") return; // it keeps the focus, which a disabled button loses
    go.ariaDisabled = "true";
    try {
      const {songs: stops} = await ask("path", {body: request(STOPS)});
      remember(stops);
      takeAsPlaylist(stops.map(({id}) => id), said, {view: "map", seeds: [], cluster: null, at: null});
    } catch (problem) {
      if (!aborted(problem)) said.replaceChildren(trouble(problem));
    } finally {
      go.ariaDisabled = null;
    }
  }}, elements, go, said);
}

const FIRST = 3; // clusters of a family, before all are asked for

/** Show the families before anything is searched for. */
export async function showFamilies() {
  const all = await families(), place = find("#corners");
  const members = all.flatMap(({clusters}) => clusters), left = all.some(({clusters}) => clusters.length > FIRST);
  place.replaceChildren(el("h2", {id: "corners-title"}, "Or wander in a corner of the catalogue"),
    el("div", {className: "families"}, all.map(family)), left && everyCluster(place, members.length));
  place.hidden = false;
}

function family({name, clusters}) {
  return el("div", {className: "family"}, el("h3", {}, name), el("ul", {}, clusters.map(({id, name: text}, at) =>
    el("li", {hidden: at >= FIRST, data: {more: String(at >= FIRST)}}, el("a", {href: write({...EMPTY, view: "map", cluster: id})}, text)))));
}

/** The button that shows the clusters that are left out, and hides them again. */
function everyCluster(place, number) {
  const all = `All ${count(number)} clusters`;
  const made = button(all, () => {
    const open = made.getAttribute("aria-expanded") !== "true";
    made.setAttribute("aria-expanded", String(open));
    made.textContent = open ? "Fewer clusters" : all;
    for (const item of place.querySelectorAll("[data-more=true]")) item.hidden = !open;
  }, {className: "every", "aria-expanded": "false"});
  return made;
}
