/** The canvases of the map: where the camera looks, what is drawn, and what lies at a pixel. */

import {el} from "../core/dom.js";
import {now} from "../core/store.js";
import {WHOLE, view} from "./camera.js";
import {colourOf, named, packed, watchScheme} from "./colours.js";
import {labels} from "./labels.js";
import {lit, way} from "./lit.js";
import {overlay} from "./overlay.js";
import {plot} from "./plot.js";
import {SPAN, groupOf} from "./points.js";

const DENSEST = 2; // pixels of a canvas to one of CSS
const PLAIN = 0.75, CHOSEN = 0.95, FADED = 0.28; // strengths of points

/** What is seen of all points; sizes and places on the canvas are in CSS pixels. */
export class Chart {
  #base = el("canvas", {"aria-hidden": "true"}); // the points; labels and lit songs are on top
  #context;
  #draw;
  #colours = [];
  #frame = 0;
  #ratio = 1;

  constructor(all) {
    this.all = all;
    this.top = el("canvas");
    this.canvases = [this.#base, this.top];
    this.camera = WHOLE;
    this.size = {width: 1, height: 1};
    this.onLook = () => {}; // is told when it looks elsewhere
    this.onDraw = () => {}; // is told when it draws other points
    this.pointed = -1; // the point that is pointed at
    this.named = []; // songs whose names are written, {place, name}
    this.loop = []; // corners of a loop round songs, on the plane
    this.written = []; // where labels are, {left, right, top, bottom, label}
    this.covered = {width: 0, height: 0}; // the corner at the right where something else stands
    this.#context = this.top.getContext("2d");
    this.#draw = plot(this.#base);
    for (const change of ["focus", "blur"]) this.top.addEventListener(change, () => this.redraw());
    watchScheme(() => this.recolour());
    document.fonts.ready.then(() => this.redraw());
    new ResizeObserver(() => this.resize()).observe(this.top);
    this.recolour();
  }

  /** Draw other points, of the same songs. */
  draw(all) {
    this.all = all;
    this.pointed = -1;
    this.recolour();
    this.onDraw();
  }

  /** Look at another place. */
  look(camera) {
    this.camera = camera;
    this.onLook();
    this.redraw();
  }

  /** Fill the place on the page. */
  resize() {
    this.size = {width: this.top.clientWidth || 1, height: this.top.clientHeight || 1};
    this.#ratio = Math.min(DENSEST, devicePixelRatio);
    for (const canvas of this.canvases) {
      canvas.width = Math.round(this.size.width * this.#ratio);
      canvas.height = Math.round(this.size.height * this.#ratio);
    }
    this.redraw();
  }

  /** Take the colours of the page, which may have turned dark. */
  recolour() {
    this.#colours = this.all.groups.map(group => packed(colourOf(group)));
    this.redraw();
  }

  /** Draw once before the next frame, however often this is called. */
  redraw() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#points();
      this.#over();
    });
  }

  /** Where a place of the plane is drawn. */
  at([x, y]) {
    const {left, top, scale} = view(this.camera, this.size);
    return [left + scale * x / SPAN, top + scale * y / SPAN];
  }

  /** What place of the plane is drawn at a pixel. */
  placeUnder(x, y) {
    const {left, top, scale} = view(this.camera, this.size), units = SPAN / scale;
    return [(x - left) * units, (y - top) * units];
  }

  /** The label that is written at a pixel; undefined where there is none. */
  labelAt(x, y) {
    return this.written.find(({left, right, top, bottom}) => x >= left && x <= right && y >= top && y <= bottom)?.label;
  }

  /** Where a point lies on the plane. */
  placeAt(point) {
    return [this.all.places[2 * point], this.all.places[2 * point + 1]];
  }

  /** The point that is drawn nearest to a pixel, or -1 where there is none within some pixels. */
  under(x, y, reach) {
    return this.all.nearest(...this.placeUnder(x, y), reach * SPAN / view(this.camera, this.size).scale);
  }

  #points() {
    const {left, top, scale} = view(this.camera, this.size), ratio = this.#ratio;
    this.#draw(this.all.places, this.#runs(), {
      view: {left: left * ratio, top: top * ratio, scale: scale * ratio / SPAN},
      radius: this.#radius() * ratio,
      paper: packed(named("--paper")),
    });
  }

  /** The clusters in the order in which they are drawn: one that is chosen is the last, and the others are faded. */
  #runs() {
    const {groups} = this.all, chosen = groupOf(this.all, now().cluster);
    const strength = group => (chosen ? group === chosen ? CHOSEN : FADED : PLAIN);
    const runs = groups.map((group, place) => ({...group, colour: this.#colours[place], strength: strength(group)}));
    return runs.sort((one, other) => (one.id === chosen?.id) - (other.id === chosen?.id));
  }

  /** Of a point: larger the nearer it is, smaller the more there are. */
  #radius() {
    return Math.min(5, Math.max(0.55, 1.1 * (20_000 / this.all.count) ** 0.25) * this.camera[2] ** 0.4);
  }

  #over() {
    this.#context.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
    const {left, top, scale} = view(this.camera, this.size), units = SPAN / scale;
    const box = {left: -left * units, top: -top * units, right: (this.size.width - left) * units, bottom: (this.size.height - top) * units};
    this.written = overlay(this.#context, {
      size: this.size, covered: this.covered, at: place => this.at(place),
      labels: labels(this.camera[2], this.all, groupOf(this.all, now().cluster), box),
      lit: lit(), way: way(), loop: this.loop, named: this.named, pointed: this.pointed < 0 ? null : this.placeAt(this.pointed),
      crossed: this.top.matches(":focus-visible"),
    });
  }
}
