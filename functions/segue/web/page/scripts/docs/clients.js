/** The instructions for clients, which the service has as Markdown, for people. */

import {answered} from "../service.js";
import {copyButton, el, find, trouble} from "../elements.js";

show();

async function show() {
  try {
    const answer = await answered(location.pathname.split("/").pop());
    find("#text").replaceChildren(...markdown(await answer.text()));
  } catch (problem) {
    find("#text").replaceChildren(trouble(problem, {again: show}));
  }
}

// --- Markdown ---

const KINDS = [ // of blocks: what they begin with, and how they are made of their lines
  [/^```/, code], [/^#/, heading], [/^\|/, table], [/^- /, list],
];

/** A text as elements. */
function markdown(text) {
  const blocks = text.match(/^```[^]*?^```|^\|(?:.*\|\n?)+|(?:.+\n?)+/gm) ?? [];
  return blocks.flatMap(block => {
    const make = KINDS.find(([begins]) => begins.test(block))?.[1] ?? paragraph;
    return make(block.trimEnd());
  });
}

function heading(line) {
  const [, marks, words] = /^(#+) +(.*)/.exec(line);
  return [el(`h${marks.length}`, {}, inline(words))];
}

function code(block) {
  const text = block.replace(/^```.*\n|\n?```$/g, "");
  return [el("pre", {tabIndex: 0}, el("code", {}, text)), el("p", {className: "actions"}, copyButton("Copy", () => text))];
}

function table(block) {
  const [head, , ...rows] = block.split("\n").map(line => line.replace(/^\||\|$/g, "").split(/(?<!\\)\|/).map(cell => cell.trim()));
  const made = el("table", {}, head.some(Boolean) && el("thead", {}, el("tr", {}, head.map(cell => el("td", {}, inline(cell))))),
    el("tbody", {}, rows.map(([first, ...cells]) => el("tr", {}, el("th", {scope: "row"}, inline(first)), cells.map(cell => el("td", {}, inline(cell)))))));
  return [made];
}

function list(block) {
  return [el("ul", {}, block.split(/^- /m).filter(Boolean).map(item => el("li", {}, inline(item.trim()))))];
}

const paragraph = block => [el("p", {}, inline(block))];

/** Code, links and strong words in a line. */
function inline(text) {
  return text.split(/(`[^`]+`|\[[^\]]+\]\([^)]+\)|\*\*[^*]+\*\*)/).map(part => {
    const [, name, address] = /^\[([^\]]+)\]\(([^)]+)\)$/.exec(part) ?? [];
    if (name) return el("a", {href: address}, inline(name));
    if (/^`.+`$/.test(part)) return el("code", {}, part.slice(1, -1));
    return /^\*\*.+\*\*$/.test(part) ? el("strong", {}, part.slice(2, -2)) : part;
  });
}
