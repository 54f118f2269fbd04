/** Naming seeds: what a text may mean, the seeds of a list, what was chosen before, and both ends of a walk. */

import {change, DIALS, MOST_SEEDS, now, watch} from "./state.js";
import {ask, path, remember} from "./service.js";
import {nameOf, watchNames} from "./answers.js";
import {button, by, counted, el, find, icon, ICONS, keepingFocus} from "./elements.js";
import {changeAndTell, combobox, comboboxParts} from "./controls.js";

const SONGS = 6, ARTISTS = 3, GENRES = 2;
const WORDS = {song: "Song", artist: "Artist", genre: "Genre"};

/** A choice of a song. */
export const ofSong = song => ({kind: "song", key: song.id, name: song.name, note: by(song), song});

/** A choice of an artist. */
const ofArtist = artist => ({kind: "artist", key: artist.name, name: artist.name, note: counted(artist.songs, "song")});

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
const seedOf = ({kind, key}) => ({kind, key, less: false});

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
