/** Buttons that put a text on the clipboard. */

import {announce, button, el} from "../core/dom.js";

const SHOWN = 1600; // milliseconds for which success is told

/** A button that copies what `text` gives when it is pressed. */
export function copyButton(name, text, properties = {}) {
  const made = button(name, async () => {
    const done = await copied(text());
    made.textContent = done ? "Copied" : "Not copied: select and copy it";
    announce(made.textContent);
    setTimeout(() => { made.textContent = name; }, SHOWN);
  }, properties);
  return made;
}

/** Put a text on the clipboard; false where the browser won't. */
export async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return selectedAndCopied(text); // pages without TLS have no navigator.clipboard
  }
}

function selectedAndCopied(text) {
  const holder = el("textarea", {value: text, readOnly: true, className: "unseen", "aria-hidden": "true"});
  const before = document.activeElement;
  document.body.append(holder);
  holder.select();
  const done = document.execCommand("copy");
  holder.remove();
  before?.focus();
  return done;
}
