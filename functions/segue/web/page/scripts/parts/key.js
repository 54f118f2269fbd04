/** Asks for the key of a service that is closed by keys: once for as long as the window is open. */

import {whenLocked} from "../core/api.js";
import {el} from "../core/dom.js";

/** Have requests that need a key ask for it here. */
export const askForKeys = () => whenLocked(asked);

/** The key that a person gives; null where the dialog is closed without one. */
function asked(refused) {
  const field = el("input", {type: "password", id: "key", required: true, maxLength: 512, autocomplete: "current-password", spellcheck: false});
  const dialog = el("dialog", {className: "key", "aria-labelledby": "key-title"},
    el("form", {method: "dialog"},
      el("h2", {id: "key-title"}, "This service is closed by keys"),
      el("p", {role: refused ? "alert" : null}, refused ? "It does not know this key." : "Whoever runs it has one for you. It is kept until this window is closed."),
      el("p", {className: "labelled"}, el("label", {htmlFor: "key"}, "API key"), field),
      el("p", {className: "actions"}, el("button", {className: "strong"}, "Open"),
        el("button", {type: "button", onclick: () => dialog.close("")}, "Not now"))));
  dialog.querySelector("form").addEventListener("submit", event => {
    event.preventDefault();
    dialog.close(field.value.trim());
  });
  document.body.append(dialog);
  dialog.showModal();
  return new Promise(resolve => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue || null);
    });
  });
}
