/** Sliders that pull the songs: each stands where the seeds are until it is moved. */

import {showing, watchAnswers} from "../core/answers.js";
import {attributes} from "../core/catalogue.js";
import {DIALS, share} from "../core/dials.js";
import {el, find, keepingFocus} from "../core/dom.js";
import {mean, recall} from "../core/songs.js";
import {change, now, watch} from "../core/store.js";
import {EMPTY, SHAPE} from "../core/address.js";
import {changeAndTell} from "../parts/notice.js";
import {ends, moves, moving} from "./moves.js";
import {narrowing} from "./narrow.js";
import {presets} from "./presets.js";

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
export function centre() {
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
