/** Paths of icons on a grid of 24 by 24, drawn with a stroke. */

export const ICONS = {
  add: "M12 5v14M5 12h14",
  done: "M5 12.5 10 17 19 7",
  close: "M6 6l12 12M18 6 6 18",
  minus: "M5 12h14",
  play: "M8 5v14l11-7z",
  pause: "M8 5v14M16 5v14",
  back: "M18 6v12l-9-6zM6 6v12",
  radio: "M12 12h.01M8.5 15.5a5 5 0 0 1 0-7M15.5 8.5a5 5 0 0 1 0 7M5.6 18.4a9 9 0 0 1 0-12.8M18.4 5.6a9 9 0 0 1 0 12.8",
  next: "M6 6v12l9-6zM18 6v12",
  up: "M12 19V5M6 11l6-6 6 6",
  down: "M12 5v14M6 13l6 6 6-6",
  grip: "M9 6h.01M15 6h.01M9 12h.01M15 12h.01M9 18h.01M15 18h.01",
  picture: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9h.01",
  lasso: "M7 17c-2.6-1-4-3-4-5.5C3 7.4 7 4.5 12 4.5s9 2.9 9 7-4 7-9 7c-1.3 0-2.6-.2-3.7-.6M8.5 15.5a2 2 0 1 1-1.5 3.2c0 1.3-.5 2.3-1.5 3",
  whole: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
};
