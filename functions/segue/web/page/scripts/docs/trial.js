/** An example that can be changed, run and copied. */

import {aborted, latest, reached} from "../core/api.js";
import {announce, button, el} from "../core/dom.js";
import {curl, python} from "../core/requests.js";
import {counted} from "../core/words.js";
import {copyButton} from "../parts/copy.js";
import {trouble} from "../parts/trouble.js";

const LONGEST = 20_000; // characters of an answer that are shown

/** One example: what it is, its address and, where it is posted, its body, which goes as a form or as JSON. */
export function trial({summary, address, body, form = false, id}) {
  const anew = latest(), posted = body !== undefined;
  const path = el("input", {id: `${id}-path`, value: address, spellcheck: false, "aria-label": `Address: ${summary}`});
  const text = posted && el("textarea", {
    id: `${id}-body`, value: JSON.stringify(body, null, 1), spellcheck: false, "aria-label": `Body: ${summary}`,
    rows: JSON.stringify(body, null, 1).split("\n").length,
  });
  const answer = el("div", {className: "trial-answer"});
  const given = () => (posted ? parsed(text.value) : undefined);
  const sent = () => (form ? new URLSearchParams(given()) : given());

  async function run() {
    answer.replaceChildren(el("p", {className: "soft"}, "Waiting for the answer …"));
    try {
      answer.replaceChildren(...(await told(path.value, sent(), anew())));
      announce(answer.firstChild.textContent);
    } catch (problem) {
      if (!aborted(problem)) answer.replaceChildren(trouble(problem, {again: problem.unreached ? run : null}));
    }
  }

  return el("div", {className: "trial"},
    el("p", {className: "trial-name"}, summary),
    el("div", {className: "trial-path"}, el("span", {className: "verb"}, posted ? "POST" : "GET"), el("span", {"aria-hidden": "true"}, "/"), path),
    text,
    el("p", {className: "actions"},
      button("Try it", run, {className: "strong", label: `Try it: ${summary}`}),
      copying("Copy as curl", () => curl(path.value, sent())),
      copying("Copy as Python", () => python(path.value, sent()))),
    answer);
}

/** A copy button for a request that may not be JSON yet; it is then copied as the problem that it is. */
function copying(name, text) {
  return copyButton(name, () => {
    try {
      return text();
    } catch (problem) {
      return `# ${problem.message}`;
    }
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(`The body is not JSON: ${error.message}`);
  }
}

async function told(address, body, signal) {
  const began = performance.now();
  const answer = await reached(address, {body, signal});
  const type = answer.headers.get("Content-Type") ?? "";
  const content = await answer.arrayBuffer();
  const took = `${Math.round(performance.now() - began)} ms`;
  const line = el("p", {className: answer.ok ? "status" : "status bad"}, `${answer.status} ${answer.statusText}`.trim(),
    el("span", {className: "soft"}, ` ${type}, ${counted(content.byteLength, "byte")}, ${took}`));
  return [line, ...(/json|^text\/|xspf|mpegurl/.test(type) ? [el("pre", {tabIndex: 0}, el("code", {}, written(content, type)))] : [])];
}

function written(content, type) {
  const text = new TextDecoder().decode(content);
  const shown = type.includes("json") ? JSON.stringify(JSON.parse(text), null, 1) : text;
  return shown.length > LONGEST ? `${shown.slice(0, LONGEST)}\n…` : shown;
}
