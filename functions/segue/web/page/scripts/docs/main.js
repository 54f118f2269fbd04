/** The API's description, for people. Modules import downwards: docs, parts, core. */

import {ask} from "../core/api.js";
import {el, find} from "../core/dom.js";
import {askForKeys} from "../parts/key.js";
import {trouble} from "../parts/trouble.js";
import {showWaits} from "../parts/wait.js";
import {operation, operations} from "./operations.js";
import {served} from "./served.js";
import {article, describe, prose} from "./schemas.js";

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
