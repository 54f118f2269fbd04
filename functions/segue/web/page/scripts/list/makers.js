/** Lists that the service makes: from the seeds along a curve, as a walk between two songs, on from the last, or in another order. */

import {aborted, ask, latest} from "../core/api.js";
import {announce, button, el} from "../core/dom.js";
import {nameOf, watchNames} from "../core/names.js";
import {recommendation} from "../core/requests.js";
import {remember} from "../core/songs.js";
import {change, now, watch} from "../core/store.js";
import {counted, listed, span} from "../core/words.js";
import {behind} from "../parts/behind.js";
import {changeAndTell} from "../parts/notice.js";
import {takeAsPlaylist} from "../parts/question.js";
import {trouble} from "../parts/trouble.js";
import {walkFields} from "../find/walk.js";
import {MOST_LISTED} from "../core/address.js";
import {bringing} from "./bring.js";

const FLOWS = [["steady", "steady"], ["rise", "rising"], ["fall", "falling"], ["wave", "in waves"], ["harmonic", "in keys that go together"]];
const ON = 5; // songs that are added at a time
const anew = latest();
const said = el("div", {className: "made"}), asked = el("div", {});

/** The forms that make lists. */
export function makers() {
  return [el("h2", {}, "Make one"), curve(), between(), on(), order(), bringing(), asked, said];
}

function curve() {
  const number = el("input", {type: "number", id: "make-number", min: 1, max: 200, value: "15", required: true});
  const unit = select("make-unit", [["songs", "songs"], ["minutes", "minutes"]]);
  const flow = select("make-flow", FLOWS);
  const from = el("p", {className: "small"});
  unit.addEventListener("change", () => {
    [number.min, number.max] = unit.value === "songs" ? [1, 200] : [5, 600];
    number.value = unit.value === "songs" ? "15" : "60";
  });
  const tell = () => { from.textContent = origin(); };
  watch(tell);
  watchNames(tell);
  return form("From what you like", () => {
    const seeds = origins();
    if (!seeds.length) return Promise.reject(new Error("Name a song first, or put one into the playlist."));
    const {limit, explain, ...asked} = recommendation(now());
    return make("playlist", {...asked, seeds, [unit.value]: Number(number.value), flow: flow.value}, taken);
  }, from, el("p", {className: "fields"},
    labelled("make-number", "How much", number), labelled("make-unit", "of", unit), labelled("make-flow", "Energy", flow)));
}

function between() {
  const {elements, request} = walkFields("walk");
  const length = el("input", {type: "number", id: "walk-length", min: 3, max: 50, value: "8", required: true});
  return form("A walk between two songs", async () => make("path", request(Number(length.value)), taken), elements,
    el("p", {className: "fields"}, labelled("walk-length", "Songs", length)));
}

function on() {
  const go = button(`Add ${ON} that follow`, () => run(go, () => {
    const {list} = now();
    return make("continue", {played: list, limit: ON}, ids => change({list: [...list, ...ids]}));
  }));
  watch(({list}) => { go.disabled = !list.length || list.length + ON > MOST_LISTED; });
  return el("section", {className: "maker"}, el("h3", {}, "On from the last"), el("p", {className: "small"}, "A radio: what comes next after these songs."), go);
}

function order() {
  const flow = select("order-flow", FLOWS), text = flow.options;
  const made = form("Put it in order", () => {
    const {list} = now();
    return make("order", {songs: list.map(id => ({id})), flow: flow.value}, ids => {
      const lost = list.filter(id => !ids.includes(id));
      changeAndTell({list: [...ids, ...lost]}, `The playlist is ${text[flow.selectedIndex].text} now.`);
    });
  }, el("p", {className: "small"}, "The same songs, none added and none lost."), el("p", {className: "fields"}, labelled("order-flow", "Energy", flow)));
  const go = made.querySelector("[type=submit]");
  go.textContent = "Put in order";
  watch(({list}) => { go.disabled = list.length < 2; });
  return made;
}

const taken = ids => takeAsPlaylist(ids, asked);

/** Ask for a list, and take its songs, by id. */
async function make(address, body, take) {
  asked.replaceChildren();
  const answer = await ask(address, {body, signal: anew()});
  remember(answer.songs);
  take(answer.songs.map(({id}) => id));
  announce(`${counted(answer.songs.length, "song")}, ${span(answer.duration_ms)}.`);
  said.replaceChildren(behind(address, body));
}

async function run(go, work) {
  if (go.ariaDisabled === "true") return; // it keeps the focus, which a disabled button loses
  go.ariaDisabled = "true";
  try {
    await work();
  } catch (problem) {
    if (!aborted(problem)) said.replaceChildren(trouble(problem));
  } finally {
    go.ariaDisabled = null;
  }
}

function form(name, work, ...children) {
  const go = el("button", {type: "submit"}, "Make it");
  return el("form", {
    className: "maker", "aria-label": name,
    onsubmit: event => {
      event.preventDefault();
      run(go, work);
    },
  }, el("h3", {}, name), children, go);
}

/** Seeds for a list: those of the mix, else the songs of the playlist. */
function origins() {
  const {seeds, list} = now();
  return seeds.some(({less}) => !less) ? recommendation(now()).seeds : list.slice(0, 20).map(id => ({id}));
}

function origin() {
  const {seeds, list} = now();
  const liked = seeds.filter(({less}) => !less).map(nameOf);
  if (liked.length) return `Songs like ${listed(liked)}, shaped by your sliders.`;
  return list.length ? `Songs like ${counted(Math.min(list.length, 20), "song")} of the playlist.` : "Songs like those that you name.";
}

const labelled = (id, text, control) => el("span", {className: "labelled"}, el("label", {htmlFor: id}, text), control);
const select = (id, entries) => el("select", {id}, entries.map(([key, text]) => el("option", {value: key}, text)));
