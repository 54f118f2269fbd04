/** What can be turned: numbers of a song, their ranges and the words at both ends. */

const percent = value => `${Math.round(100 * value)} %`;

/** `look` is how a value is written, `from` and `to` the ends of the slider in the unit of the API. */
export const DIALS = [
  {name: "energy", label: "Energy", from: 0, to: 1, step: 0.01, ends: ["calm", "loud"], look: percent},
  {name: "valence", label: "Mood", from: 0, to: 1, step: 0.01, ends: ["sad", "happy"], look: percent},
  {name: "tempo", label: "Tempo", from: 50, to: 200, step: 1, ends: ["slow", "fast"], look: value => `${Math.round(value)} bpm`},
  {name: "acousticness", label: "Acoustic", from: 0, to: 1, step: 0.01, ends: ["electric", "acoustic"], look: percent},
  {name: "popularity", label: "Popularity", from: 0, to: 100, step: 1, ends: ["obscure", "famous"], look: value => `${Math.round(value)}`},
  {name: "year", label: "Year", from: 1950, to: new Date().getFullYear(), step: 1, ends: ["older", "newer"], look: value => `${Math.round(value)}`},
];

/** What songs may be narrowed to, each by two sliders: `name` in the state, `filter` in the API; an end at its limit is open. */
export const RANGES = [
  {name: "years", filter: "year", label: "Released", from: 1950, to: new Date().getFullYear(), step: 1, unit: ""},
  {name: "tempos", filter: "tempo", label: "Beats per minute", from: 50, to: 200, step: 1, unit: " bpm"},
];

/** The columns of a song's profile. */
export const PROFILE = [
  {name: "energy", label: "energy", from: 0, to: 1},
  {name: "valence", label: "mood", from: 0, to: 1},
  {name: "danceability", label: "danceable", from: 0, to: 1},
  {name: "acousticness", label: "acoustic", from: 0, to: 1},
  {name: "instrumentalness", label: "instrumental", from: 0, to: 1},
  {name: "tempo", label: "tempo", from: 50, to: 200},
];

/** Where a value lies between the ends of a dial, 0..1. */
export function share({from, to}, value) {
  return Math.min(1, Math.max(0, (value - from) / (to - from)));
}
