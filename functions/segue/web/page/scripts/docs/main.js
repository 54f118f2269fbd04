/** The API's description, for people. Modules import downwards: docs, elements, service, state. */

import {ask, attributes, clusters, path} from "../service.js";
import {askForKeys, el, find, showWaits, trouble} from "../elements.js";
import {article, describe, operation, operations, prose} from "./reference.js";

askForKeys();
showWaits();
show();

async function show() {
  try {
    const [document, told] = await Promise.all([ask("openapi.json"), served().catch(() => value => value)]); // without a catalogue they are as written
    laidOut(document, told);
  } catch (problem) {
    find("#main").replaceChildren(trouble(problem, {again: () => location.reload()}));
  }
}

function laidOut(document, told) {
  describe(document);
  const all = operations(document), {info, tags} = document;
  const shapes = Object.entries(document.components.schemas).filter(([, schema]) => schema.properties || schema.oneOf);
  const of = tag => all.filter(([, , {tags: own}]) => own.includes(tag.name));
  find("#about").replaceChildren(el("p", {className: "lead"}, prose(info.summary)),
    ...info.description.split("\n\n").map(paragraph => el("p", {}, prose(paragraph))));
  find("#contents").replaceChildren(...tags.map(tag => contents(tag.name, of(tag).map(entry))),
    contents("Shapes", shapes.map(([name]) => [name, name])));
  find("#operations").replaceChildren(
    ...tags.map(tag => el("section", {}, el("h2", {}, tag.name), el("p", {className: "soft"}, tag.description), of(tag).map(one => operation(one, told)))),
    el("section", {}, el("h2", {}, "Shapes"), shapes.map(shape => article(...shape))));
  if (location.hash) find(`[id="${CSS.escape(decodeURIComponent(location.hash.slice(1)))}"]`)?.scrollIntoView();
}

const entry = ([path, method, {operationId}]) => [operationId, `${method.toUpperCase()} ${path}`];

function contents(name, entries) {
  return el("details", {open: name !== "Shapes"}, el("summary", {}, name),
    el("ul", {}, entries.map(([id, text]) => el("li", {}, el("a", {href: `#${id}`}, text)))));
}

// --- examples that this catalogue answers ---

const SONGS = [["demo-0000033", "Anchor", "Rosalind & the Records"], ["demo-0000077", "", "Idle Heron"]]; // of the examples: ids, titles, artists
const GENRES = ["jazz", "trance", "ambient", "opera"];
const CLUSTER = 3;
const NUMBERS = ["filters", "targets", "features"]; // objects whose fields are numbers of songs

/** A function that turns an example into one that this catalogue answers; it changes nothing where it answers it as it is. */
async function served() {
  const {songs: own} = await ask(path("songs", {ids: SONGS.map(([id]) => id).join(",")}));
  if (own.every(Boolean)) return value => value;
  const [all, {genres}, numbers] = await Promise.all([clusters(), ask("genres"), attributes()]);
  const known = all.map(({typical}) => typical.find(({artists}) => artists.length)).filter(Boolean), songs = [known[0], known.at(-1)];
  const {songs: [{explicit}]} = await ask(path("songs", {ids: songs[0].id}));
  const words = new Map(SONGS.flatMap(([id, title, artist], place) => [[id, songs[place].id], [title, songs[place].name], [artist, songs[place].artists[0]]]));
  for (const text of ["anchor", "ancor"]) words.set(text, songs[0].name);
  words.set("anchor rosalind", `${songs[0].name} ${songs[0].artists[0]}`);
  const largest = [...genres].sort((one, other) => other.songs - one.songs).map(({name}) => name);
  GENRES.forEach((genre, place) => words.set(genre, largest[place % largest.length]));
  const has = name => numbers.has(name) || (name === "explicit" && explicit !== null) || /genres/.test(name) && largest.length > 1;

  function told(value, name = "") {
    if (typeof value === "string") return words.get(value) ?? value.split(",").map(part => words.get(part) ?? part).join(",");
    if (value === CLUSTER && ["cluster", "id"].includes(name)) return all[0].id;
    if (Array.isArray(value)) return [...new Set(value.map(one => told(one, name)))];
    if (value === null || typeof value !== "object") return value;
    const entries = Object.entries(value).filter(([key]) => !NUMBERS.includes(name) || has(key));
    return Object.fromEntries(entries.map(([key, one]) => [key, told(one, key)]));
  }

  return told;
}
