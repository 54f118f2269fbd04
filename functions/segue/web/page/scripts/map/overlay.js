/** What is drawn over the points: labels, the songs that are shown, the playlist's way. */

import {named} from "./colours.js";

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
  const boxes = places.filter(([x, y]) => inside(x, y, size)).map(([middle, y]) => {
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
const inside = (x, y, {width, height}) => x >= 0 && y >= 0 && x <= width && y <= height;
const overlaps = (one, other) => one.left < other.right && one.right > other.left && one.top < other.bottom && one.bottom > other.top;
