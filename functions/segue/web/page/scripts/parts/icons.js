/** Paths of icons on a grid of 24 by 24, drawn with a stroke. */

export const ICONS = {
  add: "M12 5v14M5 12h14",
  done: "M5 12.5 10 17 19 7",
  close: "M6 6l12 12M18 6 6 18",
  minus: "M5 12h14",
  play: "M8 5v14l11-7z",
  up: "M12 19V5M6 11l6-6 6 6",
  down: "M12 5v14M6 13l6 6 6-6",
  grip: "M9 6h.01M15 6h.01M9 12h.01M15 12h.01M9 18h.01M15 18h.01",
  whole: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
};
