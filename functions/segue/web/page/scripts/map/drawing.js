/** Drawing the map: colours, points into pixels, and over them labels, the songs that are shown, the playlist's way. */

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

// --- points ---

const OPAQUE = 0xff000000;

/** A canvas on which points are drawn; `size` is that of the canvas in its pixels. */
export function plot(canvas) {
  const context = canvas.getContext("2d", {alpha: false});
  let image = null, pixels = null;

  /** Draw runs of points, in order: {first, end, colour, strength}, strength 0..1. */
  function draw(places, runs, {view, radius, paper}) {
    if (image?.width !== canvas.width || image.height !== canvas.height) {
      image = context.createImageData(canvas.width, canvas.height);
      pixels = new Uint32Array(image.data.buffer);
    }
    pixels.fill(paper | OPAQUE);
    for (const run of runs) stamped({pixels, width: image.width, height: image.height}, places, run, view, stamp(radius, run.strength, image.width));
    context.putImageData(image, 0, 0);
  }

  return draw;
}

/** What a point covers: offsets into the pixels, how much of each, 0..256, and how far it reaches. */
function stamp(radius, strength, width) {
  const reach = Math.ceil(radius), offsets = [], shares = [];
  for (let y = -reach; y <= reach; y += 1) {
    for (let x = -reach; x <= reach; x += 1) {
      const covered = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(x, y)));
      if (covered > 0.02) {
        offsets.push(y * width + x);
        shares.push(Math.round(256 * strength * covered));
      }
    }
  }
  return {reach, offsets: Int32Array.from(offsets), shares: Int32Array.from(shares)};
}

function stamped({pixels, width, height}, places, {first, end, colour}, {left, top, scale}, {reach, offsets, shares}) {
  const redBlue = colour & 0xff00ff, green = colour & 0x00ff00;
  for (let at = 2 * first; at < 2 * end; at += 2) {
    const x = Math.round(left + scale * places[at]), y = Math.round(top + scale * places[at + 1]);
    if (x < reach || y < reach || x >= width - reach || y >= height - reach) continue;
    const middle = y * width + x;
    for (let part = 0; part < offsets.length; part += 1) {
      const pixel = middle + offsets[part], share = shares[part], below = pixels[pixel];
      const a = below & 0xff00ff, b = below & 0x00ff00; // two channels at once, and one
      pixels[pixel] = OPAQUE
        | ((a + (Math.imul(redBlue - a, share) >>> 8)) & 0xff00ff)
        | ((b + (Math.imul(green - b, share) >> 8)) & 0x00ff00);
    }
  }
}

// --- what is over the points ---

const FONT = "Familjen, system-ui, sans-serif";
const APART = 9; // pixels between two labels
const LIT = 5.5, SEED = 8, STOP = 4, NUMBERED = 8.5; // radii
const NAMED = 30; // stops of a way that are numbered and named

/**
 * Draw over the points; everything is in CSS pixels.
 *
 * at(place) : where a place of the plane is drawn
 * labels : as labels() gives them; those in front are placed first, later ones where there is space left
 * lit : [{place, seed, name}]; way, named : [{place, name}], stops and single songs; pointed : a place, or null
 * loop : corners of a loop; crossed : whether the middle is marked
 * Returns where the labels are that lead somewhere, {left, right, top, bottom, label}
 */
export function overlay(context, {size, covered, at, labels, lit, way, named: songs = [], pointed, loop = [], crossed}) {
  const inks = {paper: named("--paper"), ink: named("--ink"), accent: named("--accent")};
  context.clearRect(0, 0, size.width, size.height);
  looped(context, loop.map(at), inks);
  line(context, way.map(({place}) => at(place)), inks);
  const corner = {left: size.width - covered.width, right: size.width, top: 0, bottom: covered.height};
  const taken = [corner, ...lit.flatMap(song => marked(context, song, at(song.place), inks, size))];
  if (pointed) ring(context, at(pointed), LIT, inks.ink, inks.paper);
  if (crossed) cross(context, size, inks);
  const where = {size, taken, inks};
  way.slice(0, NAMED).forEach(stop => beside(context, {...stop, size: 13}, at(stop.place), where));
  const boxes = labels.map(label => ({...titled(context, label, label.middles.map(at), where), label}));
  for (const song of songs) beside(context, {...song, size: 12, light: true}, at(song.place), where);
  return boxes.filter(({label, left}) => label.leads && left !== undefined);
}

/** The name of a song above or below its place. */
function beside(context, {name, light = false, size: pixels}, [x, y], where) {
  titled(context, {lines: [short(name)], size: pixels, thin: light}, [[x, y - 17], [x, y + 17]], where);
}

function line(context, places, {ink, paper}) {
  if (places.length < 2) return;
  for (const [width, colour] of [[5, paper], [2, ink]]) {
    context.beginPath();
    places.forEach(([x, y]) => context.lineTo(x, y));
    Object.assign(context, {lineWidth: width, strokeStyle: colour, lineJoin: "round"});
    context.stroke();
  }
  places.forEach((place, at) => stop(context, place, places.length > NAMED ? "" : String(at + 1), {paper, ink}));
}

/** A stop of the way, with its number. */
function stop(context, [x, y], number, {paper, ink}) {
  dot(context, [x, y], number ? NUMBERED : STOP, ink);
  Object.assign(context, {font: `600 11px ${FONT}`, textAlign: "center", textBaseline: "middle", fillStyle: paper});
  if (number) context.fillText(number, x, y);
}

/** A song that is lit, seeds with their names; gives what it covers. */
function marked(context, song, [x, y], {paper, ink, accent}, size) {
  if (!onCanvas(x, y, size)) return [];
  if (song.seed) ring(context, [x, y], SEED, accent, paper);
  dot(context, [x, y], LIT + 1.5, paper);
  dot(context, [x, y], LIT, song.seed ? ink : accent);
  const covered = {left: x - SEED, right: x + SEED, top: y - SEED, bottom: y + SEED};
  return song.seed ? [covered, written(context, short(song.name), [x, y - 22], {paper, colour: ink, weight: 700, size: 15})] : [covered];
}

function dot(context, [x, y], radius, colour) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = colour;
  context.fill();
}

function ring(context, [x, y], radius, colour, paper) {
  for (const [width, stroke] of [[6, paper], [2.5, colour]]) {
    context.beginPath();
    context.arc(x, y, radius + 3, 0, 2 * Math.PI);
    Object.assign(context, {lineWidth: width, strokeStyle: stroke});
    context.stroke();
  }
}

function looped(context, corners, {accent, paper}) {
  context.beginPath();
  corners.forEach(([x, y]) => context.lineTo(x, y));
  context.closePath();
  Object.assign(context, {fillStyle: accent, lineJoin: "round", globalAlpha: 0.12});
  context.fill();
  context.globalAlpha = 1;
  for (const [width, colour] of [[5, paper], [2, accent]]) {
    Object.assign(context, {lineWidth: width, strokeStyle: colour});
    context.stroke();
  }
}

/** The middle, for who moves by keys. */
function cross(context, {width, height}, {ink, paper}) {
  for (const [thick, colour] of [[6, paper], [2, ink]]) {
    context.beginPath();
    for (const [x, y] of [[1, 0], [0, 1]]) {
      context.moveTo(width / 2 - 9 * x, height / 2 - 9 * y);
      context.lineTo(width / 2 + 9 * x, height / 2 + 9 * y);
    }
    Object.assign(context, {lineWidth: thick, strokeStyle: colour, lineCap: "round"});
    context.stroke();
  }
}

/** A label at the first of some places where there is space for it. */
function titled(context, {lines, size: pixels, light, thin, strong, faint}, places, {size, taken, inks}) {
  const weights = lines.map((_, row) => (thin || (light && row) ? 400 : 600)), step = pixels * 1.15, high = step * lines.length / 2;
  const half = Math.max(...lines.map((text, row) => measured(context, text, weights[row], pixels))) / 2;
  const boxes = places.filter(([x, y]) => onCanvas(x, y, size)).map(([middle, y]) => {
    const x = Math.max(half + APART, Math.min(middle, size.width - half - APART)); // beside the edge, not cut off by it
    return {left: x - half - APART, right: x + half + APART, top: y - high - APART, bottom: y + high + APART, x, y};
  });
  const box = boxes.find(one => strong || !taken.some(other => overlaps(one, other)));
  if (!box) return {};
  taken.push(box);
  context.globalAlpha = faint ? 0.55 : 1;
  const colour = strong ? inks.accent : inks.ink;
  lines.forEach((text, row) => written(context, text, [box.x, box.y - high + step * (row + 0.5)], {paper: inks.paper, colour, weight: weights[row], size: pixels}));
  context.globalAlpha = 1;
  return box;
}

function written(context, text, [x, y], {paper, colour, weight, size}) {
  const half = measured(context, text, weight, size) / 2;
  Object.assign(context, {textAlign: "center", textBaseline: "middle", lineJoin: "round", lineWidth: 4, strokeStyle: paper, fillStyle: colour});
  context.strokeText(text, x, y);
  context.fillText(text, x, y);
  return {left: x - half, right: x + half, top: y - size, bottom: y + size};
}

function measured(context, text, weight, size) {
  context.font = `${weight} ${size}px ${FONT}`;
  return context.measureText(text).width;
}

const short = text => (text.length > 36 ? `${text.slice(0, 35)}…` : text);
const onCanvas = (x, y, {width, height}) => x >= 0 && y >= 0 && x <= width && y <= height;
const overlaps = (one, other) => one.left < other.right && one.right > other.left && one.top < other.bottom && one.bottom > other.top;

// --- labels ---

const CLUSTERS = 1.5, GENRES = 6; // times that the map is enlarged from which each is written
const MOST = 3, LEAST = 0.1; // genres of a cluster, and the share of its songs that one needs
const WIDEST = 18; // characters of a line
const FEW = 0.05; // of the points in sight, to write on them what lies in the middle of others

/**
 * Labels, those that are placed first in front.
 *
 * zoom : times that the map is enlarged; all : what points() gives; chosen : one of its groups, or undefined
 * box : what of the plane is in sight, {left, top, right, bottom} in its units
 * Returns {members (groups), leads (whether a press leads to them), lines, middles (where it may be), size (pixels), light (whether the lines after the first are), strong, faint}
 */
export function labels(zoom, {groups, families, places}, chosen, box) {
  const written = zoom < CLUSTERS ? families.map(family => ({...labelled(family, 15), members: family.clusters, leads: true}))
    : groups.filter(group => group !== chosen).map(group => ({...labelled(group, 14), ...(zoom >= GENRES && genres(group)), members: [group], leads: true}));
  const all = written.map(label => ({...label, faint: Boolean(chosen) && !label.members.includes(chosen)}));
  if (chosen) all.unshift({...labelled(chosen, 14), members: [chosen], strong: true});
  return inSight(all, places, box).sort((one, other) => weight(other) - weight(one));
}

const weight = ({strong, seen: points}) => (strong ? Infinity : points);
const labelled = ({name, middle, middles = [middle]}, size) => ({lines: broken(name), middles, size});

/** The genres of a cluster with their shares, in place of its name. */
function genres({genres: all}) {
  const lines = all.filter(({share}) => share >= LEAST).slice(0, MOST).map(({name, share}) => `${name} ${Math.round(100 * share)} %`);
  return lines.length ? {lines, light: true} : {};
}

/** The labels with how many of their points are in sight; where no middle is, the label moves to those that are. */
function inSight(all, places, box) {
  const counted = all.map(label => ({...label, ...seen(label.members, places, box)}));
  const least = FEW * counted.reduce((sum, {seen: points}) => sum + points, 0);
  return counted.map(label => {
    const middles = label.middles.filter(middle => inside(middle, box));
    return {...label, middles: middles.length || label.seen <= least ? middles : [label.centre]};
  });
}

function seen(runs, places, {left, right, top, bottom}) {
  let points = 0, across = 0, down = 0;
  for (const {first, end} of runs) {
    for (let at = 2 * first; at < 2 * end; at += 2) {
      const x = places[at], y = places[at + 1];
      if (x < left || x > right || y < top || y > bottom) continue;
      points += 1;
      across += x;
      down += y;
    }
  }
  return {seen: points, centre: [across / points, down / points]};
}

const inside = ([x, y], {left, right, top, bottom}) => x >= left && x <= right && y >= top && y <= bottom;

/** A name in lines of about the same length. */
function broken(name) {
  const number = Math.ceil(name.length / WIDEST), lines = Array.from({length: number}, () => []);
  let start = 0;
  for (const word of name.split(" ")) {
    lines[Math.floor((start + word.length / 2) / name.length * number)].push(word);
    start += word.length + 1;
  }
  return lines.map(words => words.join(" ")).filter(Boolean);
}
