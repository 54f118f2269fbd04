/** Schemas of the API's description (OpenAPI 3.1) as tables and words. */

import {el} from "../core/dom.js";

let described = {};

/** Read references from this description from now on. */
export function describe(document) {
  described = document;
}

/** What a reference refers to, with what is said beside it. */
export function resolved(node) {
  if (!node.$ref) return node;
  const {$ref, ...beside} = node;
  return {...resolved($ref.slice(2).split("/").reduce((at, step) => at[step], described)), ...beside};
}

/** A text in which `this` is code. */
export const prose = text => text.split("`").map((part, place) => (place % 2 ? el("code", {}, part) : part));

/** A link to the article on a shape. */
export const link = node => el("a", {href: `#${name(node)}`}, name(node));

/** Whether a node is a shape that has an article of its own. */
export const linked = node => Boolean(node.$ref && (resolved(node).properties || resolved(node).oneOf));

/** A schema in a few words: type, limits, default. */
export function words(node) {
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
export function row(label, node, required, description) {
  const shape = linked(node) ? node : node.items && linked(node.items) ? node.items : null;
  return el("tr", {},
    el("th", {scope: "row"}, el("code", {}, label), required && " required"),
    el("td", {},
      el("div", {className: "soft"}, linked(node) ? null : `${words(node)} `, shape && link(shape)),
      prose(description || resolved(node).description || "")));
}

/** A table of rows. */
export const table = rows => el("table", {}, el("tbody", {}, rows));

/** A table of the fields of an object. */
export function fields(schema) {
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
