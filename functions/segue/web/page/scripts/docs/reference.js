/** The API's description (OpenAPI 3.1): its operations as articles, its schemas as tables, its examples to be tried. */

import {curl, python} from "../state.js";
import {aborted, latest, reached} from "../service.js";
import {announce, button, copyButton, counted, el, trouble} from "../elements.js";

const FORM = "application/x-www-form-urlencoded";
const METHODS = ["get", "post", "put", "patch", "delete"];

/** All operations: [path, method, what is told of it]. */
export function operations(document) {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.filter(method => item[method]).map(method => [path, method, item[method]]));
}

/** The article on one operation; `served` turns an example into one that the catalogue answers. */
export function operation([path, method, told], served) {
  const {operationId, parameters = [], requestBody, responses, summary, description} = told;
  return el("article", {id: operationId},
    el("h3", {}, el("span", {className: "verb"}, method.toUpperCase()), " ", el("code", {}, path)),
    el("p", {}, `${summary}. `, prose(description || "")),
    examples(path, method, told, served).map((example, place) => trial({...example, id: `${operationId}-${place}`})),
    parameters.length > 0 && el("h4", {}, "Parameters"),
    parameters.length > 0 && table(parameters.map(one => row(one.name, one.schema, one.required, one.description))),
    requestBody && el("h4", {}, "Body"),
    requestBody && el("p", {}, link(Object.values(requestBody.content)[0].schema), ". ", prose(requestBody.description)),
    el("h4", {}, "Answers"),
    answers(responses));
}

/** The examples of an operation: what they are, addresses and bodies. */
function examples(path, method, {parameters = [], requestBody, summary}, served) {
  const given = parameters.filter(parameter => "example" in parameter).map(parameter => ({...parameter, example: served(parameter.example, parameter.name)}));
  const at = given.filter(parameter => parameter.in === "path")
    .reduce((text, {name, example}) => text.replace(`{${name}}`, encodeURIComponent(example)), path).slice(1);
  const query = new URLSearchParams(given.filter(parameter => parameter.in === "query").flatMap(values)).toString();
  const address = query ? `${at}?${query}` : at;
  if (method !== "post") return [{summary, address}];
  const [[type, content]] = Object.entries(requestBody.content);
  return Object.values(content.examples).map(one => ({summary: one.summary, address, body: served(one.value), form: type === FORM}));
}

/** A parameter's values as a URL has them: a list is repeated, or has commas between. */
function values({name, example, explode = true}) {
  return Array.isArray(example) && explode ? example.map(one => [name, one]) : [[name, String(example)]];
}

function answers(responses) {
  return table(Object.entries(responses).map(([status, node]) => {
    const response = resolved(node), types = Object.entries(response.content ?? {});
    const schema = types[0]?.[1].schema;
    return el("tr", {},
      el("th", {scope: "row"}, el("code", {}, status), types.map(([type]) => el("div", {className: "soft small"}, type))),
      el("td", {}, prose(response.description), " ", schema && linked(schema) && link(schema),
        Object.entries(response.headers || {}).map(([header, {description}]) =>
          el("div", {className: "soft"}, el("code", {}, header), `: ${description}`)),
        schema && resolved(schema).properties && !linked(schema) && fields(schema)));
  }));
}

// --- schemas ---

let described = {};

/** Read references from this description from now on. */
export function describe(document) {
  described = document;
}

/** What a reference refers to, with what is said beside it. */
function resolved(node) {
  if (!node.$ref) return node;
  const {$ref, ...beside} = node;
  return {...resolved($ref.slice(2).split("/").reduce((at, step) => at[step], described)), ...beside};
}

/** A text in which `this` is code. */
export const prose = text => text.split("`").map((part, place) => (place % 2 ? el("code", {}, part) : part));

/** A link to the article on a shape. */
export const link = node => el("a", {href: `#${name(node)}`}, name(node));

/** Whether a node is a shape that has an article of its own. */
const linked = node => Boolean(node.$ref && (resolved(node).properties || resolved(node).oneOf));

/** A schema in a few words: type, limits, default. */
function words(node) {
  const schema = resolved(node);
  const list = schema.items && (linked(schema.items) ? name(schema.items) : words(schema.items));
  return [
    kind(schema),
    list && `of ${list}`,
    ("minimum" in schema || "maximum" in schema) && `${schema.minimum ?? ""}…${schema.maximum ?? ""}`,
    schema.maxLength && `${schema.minLength ?? 0}…${schema.maxLength} characters`,
    schema.maxItems && `${schema.minItems ?? 0}…${schema.maxItems} entries`,
    schema.format,
    "default" in schema && `default ${JSON.stringify(schema.default)}`,
  ].filter(Boolean).join(", ");
}

/** A row of a table: a name, what it holds, and what is said of it. */
function row(label, node, required, description) {
  const shape = linked(node) ? node : node.items && linked(node.items) ? node.items : null;
  return el("tr", {},
    el("th", {scope: "row"}, el("code", {}, label), required && " required"),
    el("td", {},
      el("div", {className: "soft"}, linked(node) ? null : `${words(node)} `, shape && link(shape)),
      prose(description || resolved(node).description || "")));
}

/** A table of rows. */
const table = rows => el("table", {}, el("tbody", {}, rows));

/** A table of the fields of an object. */
function fields(schema) {
  const needed = schema.required || [];
  return table(Object.entries(schema.properties).map(([label, node]) => row(label, node, needed.includes(label))));
}

/** The article on a shape. */
export function article(label, schema) {
  const kinds = schema.properties ? [schema] : schema.oneOf || [];
  return el("article", {id: label},
    el("h3", {}, el("code", {}, label)),
    el("p", {}, prose(schema.description || "")),
    kinds.flatMap(one => [
      one.title && el("h4", {}, one.title),
      one.properties ? fields(one) : el("p", {}, words(one)),
    ]));
}

const name = node => node.$ref && node.$ref.split("/").pop();

function kind(schema) {
  if (schema.enum) return `one of ${schema.enum.map(value => JSON.stringify(value)).join(", ")}`;
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.oneOf && !schema.properties) return schema.oneOf.map(one => one.title || words(one)).join(" | ");
  return [].concat(schema.type || "any").join(" or ");
}

// --- an example to be tried ---

const LONGEST = 20_000; // characters of an answer that are shown

/** One example: what it is, its address and, where it is posted, its body, which goes as a form or as JSON. */
function trial({summary, address, body, form = false, id}) {
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
