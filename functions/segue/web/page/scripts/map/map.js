/** The map of the catalogue: every song a point, what hands do there, and what is named. */

import {change, explore, now, watch} from "../state.js";
import {aborted, ask, details, latest, once, path, remember} from "../service.js";
import {watchAnswers} from "../answers.js";
import {announce, button, by, count as number, counted, el, find, icon, ICONS, trouble} from "../elements.js";
import {linkButton} from "../controls.js";
import {around, box, Chart, dragged, fly, groupOf, land, lit, overview, points, songAt, SPAN, view, way, WHOLE, zoomed} from "./chart.js";
import {lasso, panel} from "./panel.js";

const LARGER = 1.8;
const PARTED = 1.6; // times that the map is enlarged at least, to see the clusters of a family
const CLOSEST = 5; // times that the map is enlarged to show the lit songs
const TOOLS = {width: 64, height: 208}; // pixels of the corner where the buttons are
const SPACIOUS = matchMedia("(min-width: 38.01rem)"); // elsewhere an overview shows as much
const NEAR = 2; // times that the map is enlarged, from which an overview shows less there, too
const KEYS = "Map of the songs. Arrows move it, plus and minus enlarge it, Enter takes the song in its middle.";

/** Show the map in its view, once. */
export const show = once(async () => {
  find("#stage").after(panel());
  await unfold();
});

async function unfold() {
  const stage = find("#stage"), begun = [...stage.children];
  try {
    const chart = new Chart(await overview());
    const name = lay(stage, chart), fill = once(() => filled(chart));
    chart.onLook = () => {
      name();
      if (SPACIOUS.matches || chart.camera[2] > NEAR) fill();
    };
    follow(chart);
    chart.onLook();
  } catch (problem) {
    stage.replaceChildren(trouble(problem, {again: () => {
      stage.replaceChildren(...begun);
      unfold();
    }}));
  }
}

/** Draw all points, which an overview stands for until then, and after that where they can't be had. */
async function filled(chart) {
  chart.draw(await points().catch(() => chart.all));
  find("#stage-songs").textContent = told(chart.all);
  chart.onLook();
}

/** Lay a chart into the stage; gives what names its songs, to be called when it looks elsewhere. */
function lay(stage, chart) {
  const {tip, point, press, cross} = pointing(chart, {song: ({id}) => explore(id), label: lead});
  chart.covered = TOOLS;
  for (const [name, value] of Object.entries({tabindex: 0, role: "application", "aria-label": KEYS})) chart.top.setAttribute(name, value);
  const hand = camera => {
    land(chart);
    chart.look(camera);
  };
  const loop = lasso(chart);
  gestures(chart.top, {
    drag: (right, down, at) => (loop.drawing() ? loop.draw([at[0] - right, at[1] - down], at) : hand(dragged(chart.camera, chart.size, right, down))),
    drawing: loop.drawing,
    zoom: (factor, x, y) => hand(zoomed(chart.camera, chart.size, factor, x, y)),
    done: () => (loop.drawing() && chart.loop.length ? loop.end() : rest(chart.camera)),
    press: (x, y, how) => (loop.drawing() ? loop.around(x, y) : press(x, y, how)),
    point, cross,
  });
  find("#stage-songs").textContent = counted(chart.all.songs, "song"); // until all points are there
  find(".chart", stage).replaceChildren(...chart.canvases, tip, tools(chart, loop.tool));
  find(".stage-note button").replaceWith(linkButton());
  find(".beside").prepend(loop.place);
  return naming(chart);
}

function follow(chart) {
  const anew = latest();
  watchAnswers(() => aim(chart, now()));
  watch((state, before) => {
    aim(chart, state, {atOnce: before?.view !== "map"});
    if (state.list !== before?.list) details(state.list, anew()).then(() => aim(chart, now()), () => {}); // its own view tells what is wrong
  });
}

function aim(chart, state, how) {
  const camera = aimed(state, chart.all);
  if (same(camera, chart.camera)) chart.redraw();
  else fly(chart, camera, how);
}

/** Where the state looks: where somebody has moved to, else at the cluster that is chosen, the lit songs or the playlist. */
function aimed({at, cluster}, all) {
  const chosen = groupOf(all, cluster);
  if (at) return at;
  if (chosen) return around(chosen.box);
  const places = [lit(), way()].find(songs => songs.length)?.map(({place}) => place) ?? [];
  return places.length ? around(box(places), CLOSEST) : WHOLE;
}

/** A label leads to its cluster, that of a family to where its clusters are. */
function lead({members}) {
  if (members.length === 1) return change({cluster: members[0].id, at: null});
  const boxes = members.map(({box: one}) => one), side = (name, best) => best(...boxes.map(one => one[name]));
  const [x, y, zoom] = around({left: side("left", Math.min), right: side("right", Math.max), top: side("top", Math.min), bottom: side("bottom", Math.max)});
  return change({at: [x, y, Math.max(zoom, PARTED)], cluster: null});
}

function tools(chart, ...more) {
  const zoom = factor => rest(zoomed(chart.camera, chart.size, factor));
  return el("p", {className: "tools"},
    button(icon(ICONS.add), () => zoom(LARGER), {label: "Enlarge"}),
    button(icon(ICONS.minus), () => zoom(1 / LARGER), {label: "Make smaller"}),
    button(icon(ICONS.whole), () => change({at: WHOLE, cluster: null}), {label: "Show the whole map"}), more);
}

/** How many songs the map has; past a number of points it has the best known. */
const told = ({count, songs}) => (count === songs ? counted(songs, "song") : `The ${number(count)} best known of ${counted(songs, "song")}`);

/** Keep in the address where the camera is. */
const rest = camera => change({at: camera}, {replace: true});

const same = (one, other) => one.every((part, place) => Math.abs(part - other[place]) < 1e-4);

// --- what a hand does ---

const STILL = 6; // pixels that a press may move
const STEP = 80; // pixels that an arrow key moves
const ONE_KEY = 1.5;

/**
 * Tell what is done on a canvas, in its CSS pixels.
 *
 * drag(right, down, at), where `at` is where to, drawing(), whether a hand draws rather than moves, zoom(factor, x, y), point(x, y) or point() when nothing is pointed at,
 * press(x, y, {song}), where song says that no label is meant, done() : a movement has ended,
 * cross(x, y) : after one by keys, where the middle is
 */
function gestures(canvas, told) {
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
    "+": () => told.zoom(ONE_KEY), "=": () => told.zoom(ONE_KEY), "-": () => told.zoom(1 / ONE_KEY),
    Enter: () => told.press(clientWidth / 2, clientHeight / 2, {song: true}),
  };
  if (!(event.key in keys) || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  keys[event.key]();
  if (event.key === "Enter") return;
  told.done();
  told.cross(clientWidth / 2, clientHeight / 2);
}

// --- what is pointed at ---

const REACH = 14, TOUCH = 28; // pixels from a point to a pointer or a finger
const REST = 250; // milliseconds after the last key before the song in the middle is named
const PAUSE = 60; // milliseconds that a pointer rests before a song is asked for
const HIGH = 90; // pixels above a point that its name takes

/** The name that appears at what is pointed at, and what to do when the pointer moves or presses, or the middle is moved by keys. */
function pointing(chart, {song: take, label: lead}) {
  const tip = el("p", {className: "tip", hidden: true, "aria-hidden": "true"}), anew = latest();
  let timer = 0, pointer = [];

  function point(x, y) {
    pointer = [x, y];
    const label = x === undefined ? undefined : chart.labelAt(x, y), found = x === undefined || label ? -1 : chart.under(x, y, REACH);
    chart.top.classList.toggle("pointing", found >= 0 || Boolean(label));
    if (found === chart.pointed) return;
    clearTimeout(timer);
    chart.pointed = found;
    chart.redraw();
    tip.hidden = true;
    if (found >= 0) timer = setTimeout(() => name(found), PAUSE);
  }

  async function name(found, {spoken = false} = {}) {
    try {
      const song = await songAt(chart.all, found, anew());
      if (found !== chart.pointed) return;
      show(song, chart.at(chart.placeAt(found)));
      if (spoken) announce(`${song.name}, ${by(song)}.`);
    } catch (problem) {
      if (!aborted(problem)) tip.hidden = true; // who presses is told what is wrong
    }
  }

  function show(song, [x, y]) {
    tip.replaceChildren(el("bdi", {className: "tip-name"}, song.name), el("bdi", {}, by(song)));
    tip.style.setProperty("--x", `${Math.min(Math.max(x, 130), chart.size.width - 130)}px`);
    tip.style.setProperty("--y", `${y}px`);
    tip.classList.toggle("below", y < HIGH);
    tip.hidden = false;
  }

  /** Name what lies in the middle, which has been moved by keys. */
  function cross(x, y) {
    clearTimeout(timer);
    chart.pointed = chart.under(x, y, TOUCH);
    chart.redraw();
    tip.hidden = true;
    if (chart.pointed >= 0) timer = setTimeout(() => name(chart.pointed, {spoken: true}), REST);
  }

  async function press(x, y, {song: only = false} = {}) {
    const label = only ? undefined : chart.labelAt(x, y), found = chart.under(x, y, TOUCH);
    if (label) return lead(label);
    if (found < 0) return undefined;
    try {
      take(await songAt(chart.all, found));
    } catch (problem) {
      announce(problem.message);
      tip.replaceChildren(problem.message);
      tip.hidden = false;
    }
    return undefined;
  }

  chart.onDraw = () => point(...pointer);
  return {tip, point, press, cross};
}

// --- names of songs ---

const FROM = 8; // times that the map is enlarged, beyond which songs are named
const FIELD_WIDE = 150, FIELD_HIGH = 46; // pixels of a field in which one song is named
const MOST = 60, STILL_FOR = 150; // names, and milliseconds without a movement before they are asked for

/** Keep the names on a chart as it is looked at: call what is returned whenever it moves. */
function naming(chart) {
  const anew = latest(), known = new Map(); // row -> name
  let timer = 0;

  async function write() {
    const {all} = chart, found = inSight(chart), missing = found.map(point => all.rows[point]).filter(row => !known.has(row));
    try {
      if (missing.length) {
        const {songs} = await ask(path("songs", {rows: missing.join(",")}), {signal: anew()});
        remember(songs);
        songs.forEach((song, place) => known.set(missing[place], song.name));
      }
      if (all === chart.all) chart.named = found.map(point => ({place: chart.placeAt(point), name: known.get(all.rows[point])}));
      chart.redraw();
    } catch (problem) {
      if (!aborted(problem)) chart.named = []; // the map is read without them
    }
  }

  return () => {
    clearTimeout(timer);
    if (chart.camera[2] > FROM) timer = setTimeout(write, STILL_FOR);
    else chart.named = [];
  };
}

/** One point in each field of a grid that stays where it is on the plane while the map is dragged. */
function inSight({all: {places}, camera, size}) {
  const {left, top, scale} = view(camera, size), fields = new Map();
  const [wide, high] = [FIELD_WIDE, FIELD_HIGH].map(pixels => pixels * SPAN / scale);
  const [west, north] = [-left * SPAN / scale, -top * SPAN / scale], [east, south] = [west + size.width * SPAN / scale, north + size.height * SPAN / scale];
  for (let at = 0; at < places.length; at += 2) {
    const x = places[at], y = places[at + 1];
    if (x < west || x > east || y < north || y > south) continue;
    const field = `${Math.floor(x / wide)} ${Math.floor(y / high)}`;
    if (!fields.has(field)) fields.set(field, at / 2);
  }
  return [...fields.values()].slice(0, MOST);
}
