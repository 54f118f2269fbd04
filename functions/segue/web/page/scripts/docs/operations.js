/** Operations of the API's description as articles. */

import {el} from "../core/dom.js";
import {fields, link, linked, prose, resolved, row, table} from "./schemas.js";
import {trial} from "./trial.js";

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
