/** The instructions for clients, which the service has as Markdown, for people. */

import {answered} from "../core/api.js";
import {find} from "../core/dom.js";
import {trouble} from "../parts/trouble.js";
import {markdown} from "./markdown.js";

show();

async function show() {
  try {
    const answer = await answered(location.pathname.split("/").pop());
    find("#text").replaceChildren(...markdown(await answer.text()));
  } catch (problem) {
    find("#text").replaceChildren(trouble(problem, {again: show}));
  }
}
