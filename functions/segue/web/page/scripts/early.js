/**
 * Before anything is drawn: whether the address holds more than the opening question, which is then not shown first,
 * and the scripts of what it leads to, so that they are not found one after the other.
 */

const NEEDED = {songs: ["songs"], map: ["songs", "map/drawing", "map/chart", "map/panel", "map/map"], playlist: ["songs", "playlist"]};
const begun = location.hash.length > 1 || location.search.startsWith("?q=");

document.documentElement.classList.toggle("begun", begun);
for (const name of begun ? NEEDED[new URLSearchParams(location.hash.slice(1)).get("view") ?? "songs"] ?? [] : []) {
  const href = document.currentScript.src.replace("early", name);
  document.head.append(Object.assign(document.createElement("link"), {rel: "modulepreload", href}));
}
