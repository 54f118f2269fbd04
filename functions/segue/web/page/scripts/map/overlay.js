/** What is drawn over the points: the names of clusters, the songs that are shown, the playlist's way. */

import {named} from "./colours.js";
import {SPAN} from "./points.js";

const FONT = "Familjen, system-ui, sans-serif";
const APART = 9; // pixels between two names
const LIT = 5.5, SEED = 8, STOP = 4; // radii

/**
 * Draw over the points; everything is in CSS pixels.
 *
 * at(place) : where a place of the plane is drawn
 * groups : clusters with their middles; chosen : one of them, or undefined
 * lit : [{place, seed, name}]; way : places; pointed : a place, or null; crossed : whether the middle is marked
 */
export function overlay(context, {size, covered, at, groups, chosen, lit, way, pointed, crossed}) {
  const inks = {paper: named("--paper"), ink: named("--ink"), accent: named("--accent")};
  context.clearRect(0, 0, size.width, size.height);
  line(context, way.map(at), inks);
  const corner = {left: size.width - covered.width, right: size.width, top: 0, bottom: covered.height};
  const taken = [corner, ...lit.flatMap(song => marked(context, song, at(song.place), inks, size))];
  if (pointed) ring(context, at(pointed), LIT, inks.ink, inks.paper);
  if (crossed) cross(context, size, inks);
  for (const group of inOrder(groups, chosen)) {
    name(context, group, at(group.middle.map(part => part * SPAN)), {size, taken, inks, strong: group === chosen, faint: chosen && group !== chosen});
  }
}

/** The chosen cluster first, then the largest: names are written where there is space left. */
function inOrder(groups, chosen) {
  const weight = group => (group === chosen ? Infinity : group.size);
  return [...groups].sort((one, other) => weight(other) - weight(one));
}

function line(context, places, {ink, paper}) {
  if (places.length < 2) return;
  for (const [width, colour] of [[5, paper], [2, ink]]) {
    context.beginPath();
    places.forEach(([x, y]) => context.lineTo(x, y));
    Object.assign(context, {lineWidth: width, strokeStyle: colour, lineJoin: "round"});
    context.stroke();
  }
  for (const place of places) dot(context, place, STOP, ink);
}

/** A song that is lit, seeds with their names; gives what it covers. */
function marked(context, song, [x, y], {paper, ink, accent}, size) {
  if (!inside(x, y, size)) return [];
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

/** The name of a cluster where there is space for it, its second part in a line of its own. */
function name(context, group, [x, y], {size, taken, inks, strong, faint}) {
  if (!inside(x, y, size)) return;
  const [genre, ...rest] = group.name.split(", "), note = rest.join(", ");
  const height = note ? 26 : 12, width = measured(context, genre, 600, 14);
  const half = Math.max(width, note ? measured(context, note, 400, 12) : 0) / 2;
  const box = {left: x - half - APART, right: x + half + APART, top: y - height / 2 - APART, bottom: y + height / 2 + APART};
  if (box.left < 0 || box.right > size.width || (!strong && taken.some(other => overlaps(box, other)))) return;
  taken.push(box);
  context.globalAlpha = faint ? 0.55 : 1;
  written(context, genre, [x, note ? y - 8 : y], {paper: inks.paper, colour: strong ? inks.accent : inks.ink, weight: 600, size: 14});
  if (note) written(context, note, [x, y + 8], {paper: inks.paper, colour: strong ? inks.accent : inks.ink, weight: 400, size: 12});
  context.globalAlpha = 1;
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
const inside = (x, y, {width, height}) => x >= 0 && y >= 0 && x <= width && y <= height;
const overlaps = (one, other) => one.left < other.right && one.right > other.left && one.top < other.bottom && one.bottom > other.top;
