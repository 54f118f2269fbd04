/** The ways out of a playlist: files for other programs, a link for other people. */

import {answered} from "../core/api.js";
import {announce, button, el} from "../core/dom.js";
import {change, now} from "../core/store.js";
import {copyButton} from "../parts/copy.js";
import {link, linkButton} from "../parts/link.js";
import {behind} from "../parts/behind.js";
import {changeAndTell} from "../parts/notice.js";
import {trouble} from "../parts/trouble.js";

const FILES = [["CSV", "csv"], ["M3U8", "m3u8"], ["JSPF", "jspf"]];

/** Buttons for a list of songs. */
export function exits(songs) {
  const said = el("div", {});
  const real = songs.filter(song => song?.link);
  return [
    el("p", {className: "actions"},
      FILES.map(([name, format]) => button(name, () => save(format, said), {label: `Save as ${name}`, "data-key": format})),
      copyButton("Spotify URIs", () => real.map(({id}) => `spotify:track:${id}`).join("\n"),
        {disabled: !real.length, title: real.length ? "Copy, to be pasted into a playlist at Spotify" : "Spotify has none of these songs"}),
      button("See it on the map", () => change({view: "map", at: null, cluster: null})),
      linkButton(),
      navigator.share && button("Share", () => navigator.share({title: now().name || "A playlist of Segue", url: link()}).catch(() => {})),
      button("Clear", () => changeAndTell({list: []}, "The playlist is empty."), {className: "quiet", label: "Clear the playlist"})),
    said,
    behind("songs?format=m3u8", {ids: now().list}),
  ];
}

async function save(format, said) {
  said.replaceChildren();
  try {
    const answer = await answered(`songs?format=${format}`, {body: {ids: now().list}});
    const address = URL.createObjectURL(await answer.blob());
    el("a", {href: address, download: `playlist.${format}`}).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
    announce("The file is saved.");
  } catch (problem) {
    said.replaceChildren(trouble(problem, {again: () => save(format, said)}));
  }
}
