/** The order of a list: moved by buttons and by dragging. */

/** The list with the entry at one place moved to another. */
export function moved(list, from, to) {
  const rest = list.filter((_, place) => place !== from);
  return [...rest.slice(0, to), list[from], ...rest.slice(to)];
}

/**
 * Let rows be dragged by their handles, with a mouse, a pen or a finger; drop(from, to) is called at the end.
 *
 * Rows are children of `list`; a handle has the class `grip`.
 */
export function draggable(list, drop) {
  list.addEventListener("pointerdown", event => {
    const handle = event.target.closest(".grip");
    if (!handle || event.button !== 0) return;
    event.preventDefault();
    drag(list, handle.closest("li"), event, drop);
  });
}

function drag(list, row, {pointerId, clientY: began}, drop) {
  const rows = [...list.children], from = rows.indexOf(row);
  const middles = rows.map(one => one.getBoundingClientRect()).map(({top, height}) => top + height / 2);
  const ending = new AbortController(), {signal} = ending;
  let to = from;

  function move({clientY}) {
    const by = clientY - began, height = row.offsetHeight;
    to = middles.filter((middle, place) => place !== from && middle < middles[from] + by).length;
    row.style.transform = `translateY(${by}px)`;
    rows.forEach((one, place) => {
      const shift = place > from && place <= to ? -height : place < from && place >= to ? height : 0;
      if (one !== row) one.style.transform = shift ? `translateY(${shift}px)` : "";
    });
  }

  function end({type}) {
    ending.abort();
    row.classList.remove("dragged");
    for (const one of rows) one.style.transform = "";
    if (type === "pointerup" && to !== from) drop(from, to);
  }

  row.classList.add("dragged");
  list.setPointerCapture(pointerId);
  list.addEventListener("pointermove", move, {signal});
  list.addEventListener("pointerup", end, {signal});
  list.addEventListener("pointercancel", end, {signal});
}
