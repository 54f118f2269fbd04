/** Colours of clusters: neighbours on the map have hues that are alike, so that it is read like a landscape. */

const probe = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
const dark = matchMedia("(prefers-color-scheme: dark)");

/** Call a function when the page turns dark or light. */
export const watchScheme = listener => dark.addEventListener("change", listener);

/** The colour of a cluster as CSS has it; `middle` is where it lies on the map. */
export function colourOf({id, middle: [x, y]}) {
  const hue = Math.round((Math.atan2(y - 0.5, x - 0.5) / Math.PI + 1) * 180);
  const far = Math.min(1, Math.hypot(x - 0.5, y - 0.5) / 0.45), odd = id % 2 ? 0.04 : -0.04;
  const lightness = (dark.matches ? 0.74 : 0.6) + odd;
  return `oklch(${lightness.toFixed(3)} ${(0.06 + 0.11 * far).toFixed(3)} ${hue})`;
}

/** A colour of the style sheet. */
export const named = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** A colour as 0xBBGGRR. */
export function packed(colour) {
  probe.fillStyle = colour;
  probe.fillRect(0, 0, 1, 1);
  const [red, green, blue] = probe.getImageData(0, 0, 1, 1).data;
  return blue << 16 | green << 8 | red;
}
