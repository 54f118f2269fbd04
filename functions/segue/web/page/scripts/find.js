/** Finding where to begin: the search, what a text may mean, the seeds, and what the page opens with. */

import {change, DIALS, EMPTY, MOST_SEEDS, now, start, watch, write} from "./state.js";
import {aborted, ask, families, knownSongs, path, remember, songCount, wellKnown} from "./service.js";
import {nameOf, watchNames} from "./answers.js";
import {announce, button, by, count, counted, el, find, icon, ICONS, keepingFocus, listed, trouble, untagged} from "./elements.js";
import {changeAndTell, combobox, comboboxParts, playButton, takeAsPlaylist} from "./controls.js";

const SONGS = 6, ARTISTS = 3, GENRES = 2;
const WORDS = {song: "Song", artist: "Artist", genre: "Genre"};

/** A choice of a song. */
export const ofSong = song => ({kind: "song", key: song.id, name: song.name, note: by(song), song});

/** A choice of an artist. */
export const ofArtist = artist => ({kind: "artist", key: artist.name, name: artist.name, note: counted(artist.songs, "song")});

/** A choice of a genre. */
export const ofGenre = genre => ({kind: "genre", key: genre.name, name: genre.name, note: ""});

/** Choices for a text: what it means, artists and genres of exactly this name, other songs, and the rest. */
export async function choicesFor(text, signal, kinds = ["song", "artist", "genre"]) {
  const found = await ask(path("search", {q: text, limit: SONGS}), {signal});
  remember(found.songs);
  const songs = found.songs.map(ofSong);
  const others = [...found.artists.slice(0, ARTISTS).map(ofArtist), ...found.genres.slice(0, GENRES).map(ofGenre)];
  const {song, artist, genres = [], ...described} = found.understood ?? {};
  const meant = song ? songs.slice(0, 1) : others.filter(({name}) => name === artist || genres.includes(name));
  if (genres.length && meant.length && Object.keys(described).length) meant[0].described = {genres, ...described};
  const named = others.filter(({name}) => same(name, text));
  return [...new Set([...meant, ...named, ...songs, ...others])].filter(({kind}) => kinds.includes(kind));
}

/** What an option of a list of choices shows. */
export function shown({kind, name, note, song, recent}) {
  return [
    el("span", {className: "choice-name"}, el("bdi", {}, name)),
    el("span", {className: "choice-kind"}, recent ? `${WORDS[kind]}, recent` : WORDS[kind]),
    el("span", {className: "choice-note"}, note && el("span", {}, kind === "song" && "by ", el("bdi", {}, note)),
      song?.album && el("span", {className: "choice-album"}, "on ", el("bdi", {}, song.album))),
  ];
}

/** The seed that a choice is. */
export const seedOf = ({kind, key}) => ({kind, key, less: false});

/** What a choice changes of the state that begins with it: seeds, and of a description also the sliders. */
export function begun(choice) {
  const {genres = [], targets = {}, years} = choice.described ?? {}, middle = years && {year: Math.round((years[0] + years[1]) / 2)};
  const turned = Object.entries({...targets, ...middle}).filter(([name]) => DIALS.some(dial => dial.name === name));
  const others = genres.filter(name => name !== choice.key).map(key => ({kind: "genre", key, less: false}));
  return {seeds: [seedOf(choice), ...others], targets: Object.fromEntries(turned)};
}

const same = (name, text) => bare(name) === bare(text);

/** A text without accents, punctuation and capitals. */
export const bare = text => text.normalize("NFKD").replace(/\p{M}/gu, "").replace(/[^\p{L}\p{N}]+/gu, " ").trim().toLowerCase();

// --- the search ---

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

// --- what this browser keeps ---

const NAME = "segue.recent";
const MOST = 6;

/** What was chosen last, newest first: seeds with a name and a note. */
export function recent() {
  try {
    const kept = JSON.parse(localStorage.getItem(NAME) ?? "[]");
    return kept.filter(one => [one.kind, one.key, one.name].every(part => typeof part === "string")).slice(0, MOST);
  } catch {
    return [];
  }
}

/** Keep a choice. */
export function keep({kind, key, name, note = ""}) {
  const others = recent().filter(one => one.kind !== kind || one.key !== key);
  store([{kind, key, name, note}, ...others].slice(0, MOST));
}

/** Forget all choices. */
export const forget = () => store([]);

function store(choices) {
  try {
    localStorage.setItem(NAME, JSON.stringify(choices));
  } catch {
    // a private window may keep nothing
  }
}

// --- what a text was taken for ---

const OTHERS = 3, NEAREST = 5; // choices that are offered
const LINK = /(?:spotify:|open\.spotify\.com\/(?:[\w-]+\/)?)(album|playlist|show|episode|user|concert)[:/]/i;

const BEGUN = 3; // letters that begin a title
const TYPED = 0.75; // of the letters of a name, which a text needs to be that name with some missing

/** Whether the first choice is meant, typos aside, or only the nearest by name. */
export const sure = (text, [{song}]) => song?.match !== "guess" || typed(text, song);

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
export async function meaning(text, choices, choose) {
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
export function linkSaid(text) {
  const kind = LINK.exec(text)?.[1].toLowerCase();
  return kind ? `This is a link to ${/^[ae]/.test(kind) ? "an" : "a"} ${kind}. Name one of its songs, or paste the link of a song or an artist.` : null;
}

// --- the seeds ---

const chips = find("#seeds");
const adder = find("#add");

/** Show the seeds and the field that adds one. */
export function showSeeds() {
  combobox(adder, find("#add-choices"), {
    offer: async (text, signal) => (text ? choicesFor(text, signal) : []),
    show: shown,
    choose: add,
    submit: async text => {
      const [best] = await choicesFor(text).catch(() => []);
      if (best) add(best);
    },
  });
  watch((state, before) => {
    if (!before || state.seeds !== before.seeds || state.never !== before.never) draw();
  });
  watchNames(draw);
}

function add(choice) {
  const {seeds} = now();
  adder.value = "";
  if (seeds.some(({kind, key}) => kind === choice.kind && key === choice.key)) return;
  keep(choice);
  change({seeds: [...seeds, seedOf(choice)].slice(-MOST_SEEDS), draw: 0});
}

function draw() {
  const {seeds, never} = now();
  find("#mix").hidden = !seeds.length;
  find("#mix").classList.toggle("single", seeds.length === 1 && !never.length);
  keepingFocus(chips, () => chips.replaceChildren(
    ...seeds.map((seed, place) => chip(seed, place, seeds)),
    ...never.map(artist => banned(artist, never))));
}

function chip(seed, place, seeds) {
  const name = nameOf(seed), id = `${seed.kind} ${seed.key}`;
  const turned = seeds.map((one, at) => (at === place ? {...one, less: !one.less} : one));
  return el("li", {className: seed.less ? "chip less" : "chip"},
    el("span", {className: "chip-kind"}, seed.less ? "less like" : {song: "like", artist: "artist", genre: "genre"}[seed.kind]),
    el("bdi", {className: "chip-name", title: name}, name),
    button(icon(ICONS.minus), () => change({seeds: turned}), {
      label: `Less like ${name}`, "aria-pressed": String(seed.less), title: "Less like this", "data-key": `less ${id}`,
    }),
    button(icon(ICONS.close), () => changeAndTell({seeds: seeds.filter((_, at) => at !== place)}, `“${name}” is taken away.`), {
      label: `Take ${name} away`, title: "Take away", "data-key": `away ${id}`,
    }));
}

function banned(artist, never) {
  return el("li", {className: "chip less"},
    el("span", {className: "chip-kind"}, "never"),
    el("bdi", {className: "chip-name", title: artist}, artist),
    button(icon(ICONS.close), () => changeAndTell({never: never.filter(one => one !== artist)}, `Songs by ${artist} may come again.`), {
      label: `Allow ${artist} again`, title: "Allow again", "data-key": `never ${artist}`,
    }));
}

// --- a walk ---

const SIDES = {from: "From", to: "To"};

/** The fields for both ends: their elements, and request(length), the body of POST /path; an Error where an end is open. */
export function walkFields(id) {
  const ends = {from: null, to: null};
  const fields = Object.keys(SIDES).map(side => endField(id, side, ends));
  return {
    elements: fields.map(({element}) => element),
    fill: (...choices) => fields.forEach(({choose}, place) => choose(choices[place])),
    request: length => {
      if (!ends.from || !ends.to) throw new Error("Choose where the walk begins and where it ends.");
      return {from: seed(ends.from), to: seed(ends.to), length};
    },
  };
}

function endField(id, side, ends) {
  const {input, list} = comboboxParts(`${id}-${side}`, `${SIDES[side]} which song`, `${SIDES[side]} …`);
  const choose = choice => {
    ends[side] = choice;
    input.value = choice.name;
  };
  input.addEventListener("input", () => { ends[side] = null; });
  combobox(input, list, {
    offer: async (text, signal) => (text ? choicesFor(text, signal) : []),
    show: shown,
    choose,
    submit: async text => (await choicesFor(text).catch(() => [])).slice(0, 1).forEach(choose),
  });
  return {element: el("div", {className: "field"}, el("span", {className: "field-side", "aria-hidden": "true"}, SIDES[side]), input, list), choose};
}

const seed = ({kind, key}) => ({[kind === "song" ? "id" : kind]: key});

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
