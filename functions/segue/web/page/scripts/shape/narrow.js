/** What a list is narrowed to: how varied, how many songs of an artist, which years, tempos and genres. */

import {genres} from "../core/catalogue.js";
import {RANGES} from "../core/dials.js";
import {button, el, icon, keepingFocus} from "../core/dom.js";
import {change, now, watch} from "../core/store.js";
import {bare, ofGenre, shown} from "../find/choices.js";
import {combobox, comboboxParts} from "../parts/combobox.js";
import {ICONS} from "../parts/icons.js";
import {ends, moves, moving} from "./moves.js";

const MOSTS = [[1, "1"], [2, "2"], [3, "3"], [5, "5"], [0, "any number"]];
const OFFERED = 8; // genres at a time

/** The controls for what the catalogue has numbers for. */
export const narrowing = has => [
  diversity(), ...RANGES.filter(({filter}) => has.has(filter)).map(range), most(),
  genreField("only", "Only these genres"), genreField("without", "Without these genres"), clean(),
];

function diversity() {
  const input = el("input", {type: "range", id: "dial-diversity", min: 0, max: 1, step: 0.05});
  const value = el("output", {htmlFor: input.id});
  moves(input, number => ({diversity: number}));
  watch(({diversity: set}) => {
    if (!moving(input)) input.value = String(set);
    value.textContent = set ? `${Math.round(100 * set)} %` : "none";
    input.setAttribute("aria-valuetext", value.textContent);
  });
  return el("div", {className: "dial"}, el("label", {htmlFor: input.id}, "Diversity"), value, el("span", {className: "dial-track"}, input), ends(["alike", "varied"]));
}

/** Two sliders on one line; neither passes the other. */
function range({name, label, from, to, step, unit}) {
  const words = ["from", "to"], inputs = words.map(word => el("input", {type: "range", min: from, max: to, step, "aria-label": `${label}, ${word}`}));
  const value = el("output", {});
  inputs.forEach((input, place) => {
    input.addEventListener("input", () => { input.value = String(Math[place ? "max" : "min"](input.value, inputs[1 - place].value)); });
    moves(input, () => {
      const [low, high] = inputs.map(one => Number(one.value)), set = [low > from ? low : null, high < to ? high : null];
      return {[name]: set.some(end => end !== null) ? set : []};
    });
  });
  watch(({[name]: set}) => {
    [set[0] ?? from, set[1] ?? to].forEach((at, place) => {
      if (!moving(inputs[place])) inputs[place].value = String(at);
      inputs[place].setAttribute("aria-valuetext", set[place] === undefined || set[place] === null ? "any" : `${at}${unit}`);
      inputs[place].classList.toggle("set", typeof set[place] === "number");
    });
    const [low, high] = set;
    inputs[0].classList.toggle("above", 2 * (low ?? from) > from + to); // where both stand at the right, only it can be moved
    value.textContent = low && high ? `${low} to ${high}` : low ? `from ${low}` : high ? `to ${high}` : "any";
  });
  return el("div", {className: "dial", role: "group", "aria-label": label}, el("span", {className: "dial-name"}, label), value, el("span", {className: "dial-track pair"}, inputs), ends([from, to].map(String)));
}

function most() {
  const field = el("select", {id: "most", onchange: () => change({most: Number(field.value)})}, MOSTS.map(([number, text]) => el("option", {value: String(number)}, text)));
  watch(state => {
    const value = String(state.most);
    if (![...field.options].some(one => one.value === value)) field.append(el("option", {value}, value));
    field.value = value;
  });
  return el("p", {className: "labelled dial-row"}, el("label", {htmlFor: "most"}, "Songs by one artist, at most"), field);
}

/** A field that adds genres to a list of the state, and chips that take them away. */
function genreField(name, label) {
  const {input, list} = comboboxParts(`shape-${name}`, label, label), chips = el("ul", {className: "chips"});
  const choose = ({key}) => {
    input.value = "";
    change({[name]: [...new Set([...now()[name], key])]});
  };
  const offer = async text => (await genres()).filter(genre => bare(genre.name).includes(bare(text)) && !now()[name].includes(genre.name))
    .slice(0, OFFERED).map(genre => ({...ofGenre(genre), note: ""}));
  combobox(input, list, {offer, show: shown, choose, submit: async text => (await offer(text).catch(() => [])).slice(0, 1).forEach(choose)});
  watch((state, before) => {
    if (state[name] !== before?.[name]) keepingFocus(chips, () => chips.replaceChildren(...state[name].map(genre => chip(name, genre))));
  });
  return el("div", {className: "dial-row"}, el("div", {className: "field"}, input, list), chips);
}

function chip(name, genre) {
  return el("li", {className: name === "without" ? "chip less" : "chip"},
    el("span", {className: "chip-kind"}, name), el("bdi", {className: "chip-name"}, genre),
    button(icon(ICONS.close), () => change({[name]: now()[name].filter(one => one !== genre)}), {
      label: `Take ${genre} away`, title: "Take away", "data-key": `${name} ${genre}`,
    }));
}

function clean() {
  const box = el("input", {type: "checkbox", id: "clean", onchange: () => change({clean: box.checked})});
  watch(state => { box.checked = state.clean; });
  return el("p", {className: "check"}, box, el("label", {htmlFor: box.id}, "Leave out explicit songs"));
}
