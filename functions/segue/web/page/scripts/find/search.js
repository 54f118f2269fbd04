/** The search: what is typed is looked for, what is chosen begins a list. */

import {aborted} from "../core/api.js";
import {knownSongs} from "../core/catalogue.js";
import {announce, button, el, find} from "../core/dom.js";
import {forget, keep, recent} from "../core/kept.js";
import {remember} from "../core/songs.js";
import {now, start, watch} from "../core/store.js";
import {combobox} from "../parts/combobox.js";
import {trouble} from "../parts/trouble.js";
import {begun, choicesFor, ofSong, shown} from "./choices.js";
import {linkSaid, meaning, sure} from "./meaning.js";

const field = find("#search");
const said = find("#search-said");

/** Set up the search. */
export function showSearch() {
  const {close} = combobox(field, find("#search-choices"), {offer, show: shown, choose, submit: look});
  find("#search-form").addEventListener("submit", event => {
    event.preventDefault();
    close();
    if (field.value.trim()) look(field.value.trim());
    else field.focus();
  });
  find("#surprise").addEventListener("click", surprise);
  watch((state, before) => {
    if (!before || state.seeds !== before.seeds) showRecent(state);
    if (before && state.seeds !== before.seeds) said.replaceChildren();
  });
}

/** Look for a text and begin with the best of what is found; say so where nothing is. */
export async function look(text, {replace = false} = {}) {
  field.value = text;
  said.replaceChildren();
  try {
    const choices = await choicesFor(text);
    if (!choices.length) return tell(`No song is called anything like “${text}”.`);
    if (sure(text, choices)) choose(choices[0], {replace});
    said.replaceChildren(...(await meaning(text, choices, choose)));
  } catch (problem) {
    if (linkSaid(text) && problem.status === 400) return tell(linkSaid(text));
    if (!aborted(problem)) said.replaceChildren(trouble(problem, {again: () => look(text, {replace})}));
  }
  return undefined;
}

function choose(choice, {replace = false} = {}) {
  keep(choice);
  field.value = "";
  const {seeds, targets} = begun(choice);
  start(seeds, {replace, targets, view: now().view === "map" ? "map" : "songs"});
}

async function offer(text, signal) {
  return text ? choicesFor(text, signal) : recent().map(choice => ({...choice, recent: true}));
}

async function surprise() {
  said.replaceChildren();
  try {
    const songs = await knownSongs(), song = songs[Math.floor(Math.random() * songs.length)];
    remember([song]);
    choose(ofSong(song));
  } catch (problem) {
    said.replaceChildren(trouble(problem, {again: surprise}));
  }
}

function tell(text) {
  said.replaceChildren(el("p", {className: "nothing"}, text));
  announce(text);
}

function showRecent(state) {
  const choices = state.seeds.length ? [] : recent();
  const forgotten = button("Forget these", () => {
    forget();
    showRecent(state);
    field.focus();
  }, {className: "quiet"});
  find("#recent").hidden = !choices.length;
  find("#recent").replaceChildren(el("h2", {}, "You looked for"),
    el("p", {className: "actions"}, choices.map(choice => button(choice.name, () => choose(choice), {className: "pill"})), forgotten));
}
