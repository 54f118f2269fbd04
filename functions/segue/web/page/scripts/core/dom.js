/** Making and finding elements. Text is always text: nothing here or elsewhere parses HTML. */

const SVG = "http://www.w3.org/2000/svg";

/** The one element that a selector finds. */
export const find = (selector, root = document) => root.querySelector(selector);

/**
 * An element with properties and children; names with a hyphen and `role` are attributes, children that are null or
 * false are left out.
 */
export function el(tag, properties = {}, ...children) {
  return filled(document.createElement(tag), properties, children);
}

/** The same for SVG, where all properties are attributes. */
export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** An icon of 24 by 24 units, drawn in the colour of the text beside it. */
export function icon(path) {
  return svg("svg", {viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true"}, svg("path", {d: path}));
}

/** A button that does something; `label` is said in place of its text. */
export function button(text, onclick, {label, ...properties} = {}) {
  return el("button", {type: "button", onclick, ...(label && {"aria-label": label}), ...properties}, text);
}

/** Keep what has the focus where an equal control stands after `change`. */
export function keepingFocus(root, change) {
  const key = root.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  change();
  if (key) [...root.querySelectorAll("[data-key]")].find(one => one.dataset.key === key)?.focus({preventScroll: true});
}

/** Have a screen reader say something. */
export function announce(text) {
  find("#spoken").textContent = text;
}

function filled(made, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name === "data") Object.assign(made.dataset, value);
    else if (name.includes("-") || name === "role") made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children.flat(2).filter(child => child !== null && child !== undefined && child !== false));
  return made;
}
