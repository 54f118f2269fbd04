/** Shaping a list: sliders that pull the songs, and what it is narrowed to. */

import {change, DIALS, EMPTY, now, RANGES, SHAPE, share, watch} from "./state.js";
import {attributes, genres, mean, recall} from "./service.js";
import {showing, watchAnswers} from "./answers.js";
import {button, el, find, icon, ICONS, keepingFocus} from "./elements.js";
import {changeAndTell, combobox, comboboxParts} from "./controls.js";
import {bare, ofGenre, shown} from "./find.js";

const WIDE = matchMedia("(min-width: 60rem)");
const sliders = new Map();

/** Show the sliders that the catalogue has numbers for. */
export async function showShape() {
  const has = await attributes().catch(() => new Set(DIALS.map(({name}) => name)));
  const dials = DIALS.filter(({name}) => has.has(name));
  find("#dials").replaceChildren(...dials.map(dial => slider(dial)), ...narrowing(has));
  find("#shaping").open = WIDE.matches;
  WIDE.addEventListener("change", () => { find("#shaping").open = WIDE.matches; });
  find("#reset").addEventListener("click", () => changeAndTell(Object.fromEntries(SHAPE.map(name => [name, EMPTY[name]])), "The sliders are where the seeds are."));
  find("#shaped").addEventListener("click", () => {
    find("#shaping").open = false;
    find("[data-key=shape]")?.focus();
  });
  watch(settle);
  watchAnswers(settle);
}

/** What the seeds are like, as far as they are songs; else what the songs that are shown are like. */
function centre() {
  const {answer} = showing();
  if (!answer) return {};
  const known = songs => songs.map(({id}) => recall(id)).filter(song => song?.features);
  const seeds = known(answer.seeds.filter((_, place) => !now().seeds[place]?.less));
  return mean(seeds.length ? seeds : known(answer.recommendations)) ?? {};
}

function slider(dial) {
  const input = el("input", {type: "range", id: `dial-${dial.name}`, min: dial.from, max: dial.to, step: dial.step});
  const value = el("output", {htmlFor: input.id});
  const mark = el("span", {className: "dial-seed", "aria-hidden": "true"});
  moves(input, number => ({targets: {...now().targets, [dial.name]: number}}));
  sliders.set(dial, {input, value, mark});
  return el("div", {className: "dial"}, el("label", {htmlFor: input.id}, dial.label), value,
    el("span", {className: "dial-track"}, input, mark), ends(dial.ends));
}

function settle() {
  const {targets, seeds} = now(), middle = centre();
  find("#shape").hidden = !seeds.length;
  for (const [dial, {input, value, mark}] of sliders) place(dial, input, value, mark, targets[dial.name], middle[dial.name]);
  keepingFocus(find("#presets"), () => find("#presets").replaceChildren(...presets(middle)));
  find("#reset").disabled = SHAPE.every(name => name === "draw" || JSON.stringify(now()[name]) === JSON.stringify(EMPTY[name]));
}

function place(dial, input, value, mark, set, seed) {
  const at = set ?? seed ?? (dial.from + dial.to) / 2;
  if (!moving(input)) input.value = String(at);
  input.classList.toggle("set", set !== undefined);
  value.textContent = set !== undefined ? dial.look(set) : seed !== undefined ? `${dial.look(seed)}, as the seed` : "as the seed";
  input.setAttribute("aria-valuetext", value.textContent);
  mark.hidden = seed === undefined;
  if (seed !== undefined) mark.style.setProperty("--at", String(share(dial, seed)));
}

// --- several sliders at once ---

/** What each makes of the seeds' numbers; shown where the seeds have those it begins from. */
const PRESETS = [
  {name: "Same mood, more obscure", needs: ["valence", "popularity"], turn: at => ({valence: at.valence, popularity: Math.max(0, at.popularity - 40)})},
  {name: "Faster", needs: ["tempo"], turn: at => ({tempo: at.tempo * 1.2})},
  {name: "Calmer", needs: ["energy"], turn: at => ({energy: at.energy - 0.3})},
  {name: "Brighter", needs: ["valence", "energy"], turn: at => ({valence: at.valence + 0.3, energy: at.energy})},
  {name: "Unplugged", needs: ["acousticness"], turn: () => ({acousticness: 0.95})},
  {name: "Twenty years earlier", needs: ["year"], turn: at => ({year: at.year - 20})},
];

/** Buttons for what can be turned from a middle: feature -> value. */
function presets(middle) {
  return PRESETS.filter(({needs}) => needs.every(name => name in middle)).map(preset => one(preset, middle));
}

function one({name, turn}, middle) {
  const targets = Object.fromEntries(Object.entries(turn(middle)).map(([feature, value]) => [feature, within(feature, value)]));
  const on = JSON.stringify(sorted(targets)) === JSON.stringify(sorted(now().targets));
  return button(name, () => change({targets: on ? {} : targets}), {className: "pill", "aria-pressed": String(on), "data-key": name});
}

/** A value on the slider of a feature. */
function within(feature, value) {
  const {from, to, step} = DIALS.find(({name}) => name === feature);
  const steps = Math.round((Math.min(to, Math.max(from, value)) - from) / step);
  return Number((from + steps * step).toFixed(4));
}

const sorted = targets => Object.entries(targets).sort();

// --- filters ---

const MOSTS = [[1, "1"], [2, "2"], [3, "3"], [5, "5"], [0, "any number"]];
const OFFERED = 8; // genres at a time

/** The controls for what the catalogue has numbers for. */
const narrowing = has => [
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

// --- a slider that moves ---

const PAUSE = 90; // milliseconds between two requests while a slider moves
let timer = 0, dragged = false;

/** Change the state as a slider moves: one step of Back for a whole drag. */
function moves(input, patch) {
  input.addEventListener("input", () => {
    timer ||= setTimeout(() => { // the list follows a slider that goes on moving
      timer = 0;
      change(patch(Number(input.value)), {replace: dragged});
      dragged = true;
    }, PAUSE);
  });
  input.addEventListener("change", () => setTimeout(() => { dragged = false; }, 2 * PAUSE));
}

/** Whether a slider is being moved, and stands where the hand is, which may not have been asked for yet. */
const moving = input => document.activeElement === input && (dragged || timer > 0);

/** The words at both ends of a slider. */
const ends = ([low, high]) => el("span", {className: "dial-ends", "aria-hidden": "true"}, el("span", {}, low), el("span", {}, high));
