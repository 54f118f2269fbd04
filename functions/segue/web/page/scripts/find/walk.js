/** A walk over the map from one song to another: two fields and a button. */

import {el} from "../core/dom.js";
import {combobox, comboboxParts} from "../parts/combobox.js";
import {choicesFor, shown} from "./choices.js";

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
