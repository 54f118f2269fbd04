/**
 * Before anything is drawn: whether the address holds more than the opening question, which is then not shown first,
 * and the scripts of what it leads to, so that they are not found one after the other.
 */

const VIEWS = {
  opening: ["search"],
  songs: ["songs"],
  map: ["songs", "map/drawing", "map/chart", "map/panel", "map/map"],
  playlist: ["songs", "playlist"],
};
const begun = location.hash.length > 1 || location.search.startsWith("?q=");
const view = new URLSearchParams(location.hash.slice(1)).get("view") ?? "songs";

document.documentElement.classList.toggle("begun", begun);
document.documentElement.dataset.view = view;
for (const name of new Map(Object.entries(VIEWS)).get(begun ? view : "opening") ?? []) {
  const href = document.currentScript.src.replace("early", name);
  document.head.append(Object.assign(document.createElement("link"), {rel: "modulepreload", href}));
}
