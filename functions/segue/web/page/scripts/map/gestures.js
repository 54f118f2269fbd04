/** What a hand does on the map: drag, pinch, wheel, press, point, and the keys that do the same. */

const STILL = 6; // pixels that a press may move
const STEP = 80; // pixels that an arrow key moves
const LARGER = 1.5;

/**
 * Tell what is done on a canvas, in its CSS pixels.
 *
 * drag(right, down, at), where `at` is where to, drawing(), whether a hand draws rather than moves, zoom(factor, x, y), point(x, y) or point() when nothing is pointed at,
 * press(x, y, {song}), where song says that no label is meant, done() : a movement has ended,
 * cross(x, y) : after one by keys, where the middle is
 */
export function gestures(canvas, told) {
  const down = new Map(); // pointer -> where it is
  let moved = 0, held = false; // a finger scrolls the page before the map has been pressed

  function hold(is) {
    held = is;
    canvas.classList.toggle("held", is);
  }

  function place({clientX, clientY}) {
    const {left, top} = canvas.getBoundingClientRect();
    return [clientX - left, clientY - top];
  }

  function move(event) {
    const at = place(event), before = down.get(event.pointerId);
    if (!before) return event.pointerType === "mouse" && told.point(...at);
    down.set(event.pointerId, at);
    const [right, below] = [at[0] - before[0], at[1] - before[1]];
    moved += Math.hypot(right, below);
    if (down.size > 1) hold(true);
    if (down.size > 1) pinched([...down.values()].find(one => one !== at), before, at);
    else if (moved > STILL && (held || told.drawing() || event.pointerType !== "touch")) told.drag(right, below, at);
    return undefined;
  }

  function pinched(other, before, at) {
    const [was, is] = [before, at].map(([x, y]) => Math.hypot(x - other[0], y - other[1]));
    told.drag((at[0] - before[0]) / 2, (at[1] - before[1]) / 2, at);
    told.zoom(is / Math.max(was, 1), (at[0] + other[0]) / 2, (at[1] + other[1]) / 2);
  }

  function up(event) {
    if (!down.delete(event.pointerId)) return;
    if (event.type === "pointerup" && moved <= STILL && !down.size) {
      if (!told.drawing()) hold(true);
      told.press(...place(event));
    } else if (held || told.drawing() || event.pointerType !== "touch") told.done();
  }

  canvas.addEventListener("pointerdown", event => {
    if (event.button !== 0) return;
    if (!down.size) moved = 0;
    down.set(event.pointerId, place(event));
    canvas.setPointerCapture(event.pointerId);
    told.point();
  });
  canvas.addEventListener("pointermove", move);
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, up);
  canvas.addEventListener("pointerleave", () => told.point());
  canvas.addEventListener("wheel", event => {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    told.zoom(2 ** (-event.deltaY * lines / (event.ctrlKey ? 100 : 350)), ...place(event));
    told.done();
  }, {passive: false});
  canvas.addEventListener("blur", () => hold(false));
  canvas.addEventListener("keydown", event => pressed(event, canvas, told));
}

function pressed(event, {clientWidth, clientHeight}, told) {
  const keys = {
    ArrowLeft: () => told.drag(STEP, 0), ArrowRight: () => told.drag(-STEP, 0),
    ArrowUp: () => told.drag(0, STEP), ArrowDown: () => told.drag(0, -STEP),
    "+": () => told.zoom(LARGER), "=": () => told.zoom(LARGER), "-": () => told.zoom(1 / LARGER),
    Enter: () => told.press(clientWidth / 2, clientHeight / 2, {song: true}),
  };
  if (!(event.key in keys) || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  keys[event.key]();
  if (event.key === "Enter") return;
  told.done();
  told.cross(clientWidth / 2, clientHeight / 2);
}
