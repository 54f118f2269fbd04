/**
 * The page. Modules import downwards: main, list, map, shape, songs, find, parts, core.
 *
 * What is shown follows from the state in the address (core/store.js): whoever is clicked changes the state, whoever
 * shows something watches it.
 */

import {followState} from "./core/answers.js";
import {ask, once} from "./core/api.js";
import {announce, find} from "./core/dom.js";
import {watchQueue} from "./core/queue.js";
import {write} from "./core/address.js";
import {change, now, watch} from "./core/store.js";
import {counted} from "./core/words.js";
import {keepFocus} from "./parts/focus.js";
import {askForKeys} from "./parts/key.js";
import {trouble} from "./parts/trouble.js";
import {showWaits} from "./parts/wait.js";
import {showFirst} from "./find/first.js";
import {showFamilies} from "./find/families.js";
import {look, showSearch} from "./find/search.js";
import {showSeeds} from "./find/seeds.js";
import {showResults} from "./songs/results.js";
import {showShape} from "./shape/sliders.js";

const LATER = { // when first seen
  map: () => import("./map/map.js").then(({showMap}) => showMap()),
  playlist: () => import("./list/playlist.js").then(({showPlaylist}) => showPlaylist()),
};
const hear = once(() => import("./songs/player.js").then(({showPlayer}) => showPlayer()));
const SPACIOUS = matchMedia("(min-width: 70rem)");

askForKeys();
showWaits();
showSearch();
showSeeds();
showResults();
followState();
showShape();
watch(showView);
keepFocus();
watchQueue(({songs}) => songs.length && hear().catch(() => announce("The player can’t be loaded.")));
SPACIOUS.addEventListener("change", placeOpening);
placeOpening();
introduce();
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
  const {bring} = await import("./list/bring.js");
  bring(file);
}

/** Show one view and lead to the others. */
function showView(state) {
  for (const link of document.querySelectorAll("[data-view]")) {
    const {view} = link.dataset;
    link.href = write({...state, view}) || "#";
    if (view === state.view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    find(`#view-${view}`).hidden = view !== state.view;
  }
  load(state.view);
  document.documentElement.classList.toggle("begun", begun(state));
  find("#openings").hidden = begun(state);
  find("#kept").textContent = state.list.length || "";
}

/** Load what shows a view, once. */
async function load(view) {
  const loading = LATER[view]?.();
  delete LATER[view];
  try {
    await loading;
  } catch {
    const said = {message: "This part of the page can’t be loaded."};
    find(`#view-${view}`).replaceChildren(trouble(said, {again: () => location.reload()}));
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

/** Say what the catalogue is, and name its families and some of their clusters. */
async function introduce() {
  try {
    const ready = await ask("readyz");
    find("#invented").hidden = !ready.invented;
    document.body.classList.toggle("real", !ready.invented);
    find("#about").textContent = `${counted(ready.songs, "song")}, model ${ready.version}.`;
    await showFirst(); // what is above comes first, so that nothing moves
    find("#opening").hidden = navigator.connection?.saveData || begun(now());
    await showFamilies();
    if (!find("#opening").hidden) (await import("./map/opening.js")).showOpening();
  } catch (problem) {
    if (!now().seeds.length) find("#search-said").replaceChildren(trouble(problem, {again: introduce}));
  }
}

/** An address from elsewhere may ask in words: ?q=harbour. */
function asked() {
  const text = new URLSearchParams(location.search).get("q")?.trim().slice(0, 200);
  if (location.search) history.replaceState(null, "", location.pathname + location.hash);
  if (text) look(text, {replace: true});
}
