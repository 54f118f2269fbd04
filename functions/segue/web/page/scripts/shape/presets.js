/** Ways to turn several sliders at once, from where the seeds are. */

import {DIALS} from "../core/dials.js";
import {button} from "../core/dom.js";
import {change, now} from "../core/store.js";

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
export function presets(middle) {
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
