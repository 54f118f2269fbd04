/**
 * Before anything is drawn: whether the address holds more than the opening question, which is then not shown first,
 * and the scripts of what it leads to, so that they are not found one after the other. What shows that runs as soon as
 * it can, and waits for nothing else of the page.
 */

const VIEWS = {
  opening: ["search"],
  songs: ["songs"],
  map: ["songs", "map/drawing", "map/chart", "map/panel", "map/map"],
  playlist: ["songs", "playlist"],
};
const SHOWS = {songs: "songs", map: "map/map", playlist: "playlist"}; // which module shows a view
const {shared} = document.documentElement.dataset; // what an address that servers read stands for
const fragment = shared ?? location.hash.slice(1);
const begun = fragment !== "" || location.search.startsWith("?q=");
const view = new URLSearchParams(fragment).get("view") ?? "songs";

document.documentElement.classList.toggle("begun", begun);
document.documentElement.dataset.view = view;
const address = name => document.currentScript.src.replace("early", name);
for (const name of new Map(Object.entries(VIEWS)).get(begun ? view : "opening") ?? []) {
  document.head.append(Object.assign(document.createElement("link"), {rel: "modulepreload", fetchPriority: "high", href: address(name)}));
}
const shows = begun && Object.hasOwn(SHOWS, view) && address(SHOWS[view]);
document.addEventListener("readystatechange", () => {
  if (shared !== undefined) settle();
  if (shows) import(shows).then(({show}) => show()).catch(() => {}); // which main.js tells
}, {once: true});

/** Have the page be where it is without a server, once all that it refers to from here is found. */
function settle() {
  for (const link of document.querySelectorAll("a[href^='../']")) link.setAttribute("href", link.href);
  history.replaceState(null, "", `../../#${shared}`);
}
