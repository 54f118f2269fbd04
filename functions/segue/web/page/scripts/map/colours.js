/** Colours of clusters: families have hues all round the wheel, and the clusters of one are shades of its hue. */

const LIGHT = [0.42, 0.62], DARK = [0.62, 0.88]; // lightness of the darkest and the lightest: 3:1 against the paper
const CHROMA = 0.13;
const probe = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
const dark = matchMedia("(prefers-color-scheme: dark)");

/** Call a function when the page turns dark or light. */
export const watchScheme = listener => dark.addEventListener("change", listener);

/** The hue, 0..360, of the family at a place among all. */
export const hueOf = (place, families) => 360 * (place + 0.5) / families;

/** A hue in a shade, 0..1, as CSS has it; a family as a whole has the shade in the middle. */
export function colourOf({hue, shade = 0.5}) {
  const [from, to] = dark.matches ? DARK : LIGHT;
  return `oklch(${(from + (to - from) * shade).toFixed(3)} ${CHROMA} ${hue.toFixed(1)})`;
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
