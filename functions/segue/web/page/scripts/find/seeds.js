/** The seeds of a list as chips: each may be turned to "less like this" or taken away, and others be added. */

import {button, el, find, icon, keepingFocus} from "../core/dom.js";
import {MOST_SEEDS} from "../core/address.js";
import {keep} from "../core/kept.js";
import {change, now, watch} from "../core/store.js";
import {nameOf, watchNames} from "../core/names.js";
import {changeAndTell} from "../parts/notice.js";
import {combobox} from "../parts/combobox.js";
import {ICONS} from "../parts/icons.js";
import {choicesFor, seedOf, shown} from "./choices.js";

const chips = find("#seeds");
const adder = find("#add");

/** Show the seeds and the field that adds one. */
export function showSeeds() {
  combobox(adder, find("#add-choices"), {
    offer: async (text, signal) => (text ? choicesFor(text, signal) : []),
    show: shown,
    choose: add,
    submit: async text => {
      const [best] = await choicesFor(text).catch(() => []);
      if (best) add(best);
    },
  });
  watch((state, before) => {
    if (!before || state.seeds !== before.seeds || state.never !== before.never) draw();
  });
  watchNames(draw);
}

function add(choice) {
  const {seeds} = now();
  adder.value = "";
  if (seeds.some(({kind, key}) => kind === choice.kind && key === choice.key)) return;
  keep(choice);
  change({seeds: [...seeds, seedOf(choice)].slice(-MOST_SEEDS), draw: 0});
}

function draw() {
  const {seeds, never} = now();
  find("#mix").hidden = !seeds.length;
  find("#mix").classList.toggle("single", seeds.length === 1 && !never.length);
  keepingFocus(chips, () => chips.replaceChildren(
    ...seeds.map((seed, place) => chip(seed, place, seeds)),
    ...never.map(artist => banned(artist, never))));
}

function chip(seed, place, seeds) {
  const name = nameOf(seed), id = `${seed.kind} ${seed.key}`;
  const turned = seeds.map((one, at) => (at === place ? {...one, less: !one.less} : one));
  return el("li", {className: seed.less ? "chip less" : "chip"},
    el("span", {className: "chip-kind"}, seed.less ? "less like" : {song: "like", artist: "artist", genre: "genre"}[seed.kind]),
    el("bdi", {className: "chip-name", title: name}, name),
    button(icon(ICONS.minus), () => change({seeds: turned}), {
      label: `Less like ${name}`, "aria-pressed": String(seed.less), title: "Less like this", "data-key": `less ${id}`,
    }),
    button(icon(ICONS.close), () => changeAndTell({seeds: seeds.filter((_, at) => at !== place)}, `“${name}” is taken away.`), {
      label: `Take ${name} away`, title: "Take away", "data-key": `away ${id}`,
    }));
}

function banned(artist, never) {
  return el("li", {className: "chip less"},
    el("span", {className: "chip-kind"}, "never"),
    el("bdi", {className: "chip-name", title: artist}, artist),
    button(icon(ICONS.close), () => changeAndTell({never: never.filter(one => one !== artist)}, `Songs by ${artist} may come again.`), {
      label: `Allow ${artist} again`, title: "Allow again", "data-key": `never ${artist}`,
    }));
}
