/**
 * The page. Modules import downwards: main, map, playlist, bring, player, shape, songs, search, find, controls, elements,
 * answers, service, state.
 *
 * What is shown follows from the state in the address (state.js): whoever is clicked changes the state, whoever shows
 * something watches it.
 */

import {change, now, watch, write} from "./state.js";
import {ask, once} from "./service.js";
import {watchAnswers} from "./answers.js";
import {announce, askForKeys, counted, el, find, showWaits, trouble} from "./elements.js";
import {keepFocus, watchQueue} from "./controls.js";
import {showSeeds} from "./find.js";

const PARTS = { // loaded when they are first seen
  songs: async () => (await import("./songs.js")).show(),
  map: async () => (await import("./map/map.js")).show(),
  playlist: async () => (await import("./playlist.js")).show(),
};
const search = once(async () => {
  const found = await import("./search.js");
  found.showSearch();
  return found;
});
const shape = once(async () => (await import("./shape.js")).showShape());
const hear = once(async () => (await import("./player.js")).showPlayer());
const SPACIOUS = matchMedia("(min-width: 70rem)");

/** Say what the catalogue is. */
const introduce = once(async () => {
  const ready = await ask("readyz");
  find("#invented").hidden = !ready.invented;
  document.body.classList.toggle("real", !ready.invented);
  find("#about").textContent = `${counted(ready.songs, "song")}, model ${ready.version}.`;
});

/** Show songs to begin with, the families, and the map: what is above comes first, so that nothing moves. */
const open = once(async () => {
  const [{showFirst, showFamilies}] = await Promise.all([search(), introduce()]);
  await showFirst();
  find("#opening").hidden = navigator.connection?.saveData || begun(now());
  await showFamilies();
  if (!find("#opening").hidden) await showOpening();
});

askForKeys();
showWaits();
showSeeds();
watch(showView);
search().catch(() => announce("The search can’t be loaded."));
watch((state, before) => begun(state) === (before && begun(before)) || begin());
watchAnswers(({request, busy}) => request && !busy && shape().catch(() => {})); // the songs come first, and go without
keepFocus();
watchQueue(({songs}) => songs.length && hear().catch(() => announce("The player can’t be loaded.")));
SPACIOUS.addEventListener("change", placeOpening);
placeOpening();
asked();

find("#skip").addEventListener("click", event => {
  event.preventDefault(); // the part after # holds the state
  const results = find("#results");
  (results.checkVisibility() ? results : find("#main")).focus();
});

/** A file that is dropped anywhere is a list that somebody brings. */
for (const kind of ["dragover", "dragleave", "drop"]) {
  addEventListener(kind, event => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    document.documentElement.classList.toggle("dropping", kind === "dragover");
    if (kind === "drop") receive(event.dataTransfer.files[0]);
  });
}

async function receive(file) {
  change({view: "playlist"});
  (await import("./playlist.js")).receive(file);
}

/** Show one view and lead to the others. */
function showView(state) {
  for (const link of document.querySelectorAll("a[data-view]")) {
    const {view} = link.dataset;
    link.href = write({...state, view}) || "#";
    if (view === state.view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.documentElement.dataset.view = state.view;
  if (begun(state)) load(state.view);
  document.documentElement.classList.toggle("begun", begun(state));
  find("#openings").hidden = begun(state);
  find("#kept").textContent = state.list.length || "";
}

/** Load what shows a view, once. */
async function load(view) {
  const loading = PARTS[view]?.();
  delete PARTS[view];
  try {
    await loading;
  } catch {
    const said = {message: "This part of the page can’t be loaded."};
    find(`#view-${view}`).prepend(trouble(said, {again: () => location.reload()}));
  }
}

/** The map stands beside the question where there is space, else below the first songs. */
function placeOpening() {
  if (SPACIOUS.matches) find(".finder").append(find("#opening"));
  else find("#first").after(find("#opening"));
}

/** Whether there is anything to show but the question. */
function begun({seeds, view}) {
  return seeds.length > 0 || view !== "songs";
}

/** Say what the catalogue is, and show what the page opens with where nothing was asked for yet. */
async function begin() {
  try {
    await (begun(now()) ? introduce() : open());
  } catch (problem) {
    if (!now().seeds.length) find("#search-said").replaceChildren(trouble(problem, {again: begin}));
  }
}

/** Show the map beside the question; nothing where it can't be had, for its own view tells what is wrong. */
async function showOpening() {
  const {Chart, overview} = await import("./map/chart.js");
  const all = await overview().catch(() => null);
  find("#opening").hidden = !all;
  if (!all) return;
  const {canvases} = new Chart(all);
  for (const canvas of canvases) canvas.setAttribute("aria-hidden", "true");
  find("#opening").replaceChildren(...canvases, el("span", {className: "unseen"}, "The map of the songs"));
}

/** An address from elsewhere may ask in words: ?q=harbour. */
async function asked() {
  const text = new URLSearchParams(location.search).get("q")?.trim().slice(0, 200);
  if (location.search) history.replaceState(null, "", location.pathname + location.hash);
  if (text) (await search()).look(text, {replace: true});
}
