/** The request behind what is shown, to be copied. */

import {el} from "../core/dom.js";
import {curl, python} from "../core/requests.js";
import {copyButton} from "./copy.js";

/** A request that can be opened and copied. */
export function behind(address, body) {
  const method = body === undefined ? "GET" : "POST";
  return el("details", {className: "behind"},
    el("summary", {}, "The request behind this"),
    el("pre", {tabIndex: 0}, el("code", {}, `${method} /${address}${body === undefined ? "" : `\n${JSON.stringify(body, null, 1)}`}`)),
    el("p", {className: "actions"},
      copyButton("Copy as curl", () => curl(address, body)),
      copyButton("Copy as Python", () => python(address, body))));
}
