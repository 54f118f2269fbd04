/** The list of recommendations, and what is said in its place while there is none. */

import {again, showing, watchAnswers} from "../core/answers.js";
import {announce, button, el, find, keepingFocus} from "../core/dom.js";
import {nameOf} from "../core/names.js";
import {mean, recall} from "../core/songs.js";
import {change, now, start, watch} from "../core/store.js";
import {count, counted, listed, untagged} from "../core/words.js";
import {PAGE} from "../core/address.js";
import {trouble} from "../parts/trouble.js";
import {behind} from "../parts/behind.js";
import {linkButton} from "../parts/link.js";
import {playAll} from "../parts/play.js";
import {row} from "./row.js";
import {mixButton, radioButton, seedHead} from "./seed.js";

const MOST = 100;
const list = find("#songs");
const said = find("#songs-said");
const head = find("#about-seed");
const below = find("#songs-below");
let told = null;

/** Show recommendations. */
export function showResults() {
  watchAnswers(draw);
  watch((state, before) => {
    if (before && state.list !== before.list) draw(showing());
  });
}

function draw({answer, about: seeds, problem, busy, request, body}) {
  const other = String(seeds.map(({key}) => key)) !== String(now().seeds.map(({key}) => key)); // the answer is to what was asked before
  const title = request ? titleOf(problem && answer ? seeds : now().seeds) : "";
  const root = find("#results");
  root.hidden = !request;
  root.setAttribute("aria-busy", String(busy));
  root.classList.toggle("stale", Boolean(answer && (busy || problem)));
  find("#songs-title").textContent = title;
  document.title = title ? `${title} · Segue` : "Segue: songs that follow";
  said.replaceChildren(...message({answer, problem, busy, request}));
  find("#songs-legend").hidden = !answer?.recommendations.length;
  keepingFocus(root, () => {
    about(request && !problem ? seedHead() : null);
    find("#songs-play").replaceChildren(...(answer?.recommendations.length && !problem ? [playAll(answer.recommendations), ...radioFrom(seeds), mixButton(), shapeButton()] : []));
    list.replaceChildren(...(answer && !(busy && other) ? rows(answer) : busy ? Array.from({length: PAGE}, blank) : []));
    below.replaceChildren(...(answer && !problem ? more(answer, body) : []));
  });
  if (answer && !busy && told !== answer) announce(`${counted(answer.recommendations.length, "song")}: ${title}.`);
  told = busy ? told : answer;
}

/** The button of a radio that begins with the songs among the seeds, if there is one. */
function radioFrom(seeds) {
  const songs = seeds.filter(({kind, less}) => kind === "song" && !less).map(({key}) => recall(key)).filter(Boolean);
  return songs.length ? [radioButton(songs)] : [];
}

/** The button that opens the sliders where they are not beside the list. */
function shapeButton() {
  return button("Shape it", () => {
    find("#shaping").open = true;
    find("#shaping input").focus();
  }, {className: "narrow", "data-key": "shape"});
}

function about(told) {
  head.hidden = !told;
  head.replaceChildren(...(told ? [told] : []));
}

/** What the list is, as a heading and as the title of the page. */
function titleOf(seeds) {
  const [towards, away] = [false, true].map(less => seeds.filter(seed => seed.less === less).map(nameOf).map(untagged));
  const like = towards.length ? `Songs like ${listed(towards)}` : "Songs";
  return away.length ? `${like}, less like ${listed(away)}` : like;
}

function message({answer, problem, busy, request}) {
  if (problem) return [trouble(problem, {again, take: song => start([{kind: "song", key: song.id, less: false}]), more: cure(problem)})];
  if (busy || !request || answer?.recommendations.length) return [];
  return [el("div", {className: "trouble"},
    el("p", {className: "trouble-said"}, "No song is left."),
    el("p", {}, "Take away a filter or an artist that is never wanted, or begin with another song."))];
}

/** A seed that the catalogue has no longer, as from an old link, can be taken away. */
function cure(problem) {
  const lost = problem.pointers.map(pointer => Number(/^\/seeds\/(\d+)/.exec(pointer)?.[1] ?? NaN)).filter(Number.isInteger);
  if (!lost.length || problem.status !== 404) return [];
  return [button("Take away what is not known", () => change({seeds: now().seeds.filter((_, place) => !lost.includes(place))}))];
}

function rows(answer) {
  return answer.recommendations.map(song => row(song, recall(song.id), base(answer, song), answer.recommendations));
}

/** The features of the seed that a song is nearest to; of all songs among the seeds where that is none. */
function base(answer, song) {
  const nearest = recall(answer.seeds[song.why.closest_seed]?.id);
  const seeds = nearest?.features ? [nearest] : answer.seeds.map(({id}) => recall(id)).filter(one => one?.features);
  return mean(seeds);
}

const blank = () => el("li", {className: "song blank", "aria-hidden": "true"});

function more(answer, body) {
  const {limit, draw, list: kept} = now(), songs = answer.recommendations;
  const unkept = songs.filter(({id}) => !kept.includes(id)).map(({id}) => id);
  const {catalogue, after_filters: left} = answer.pool;
  return [
    el("p", {className: "actions"},
      songs.length === limit && limit < MOST && button("More songs", () => change({limit: Math.min(MOST, limit + PAGE)}, {replace: true}), {"data-key": "longer"}),
      songs.length > 0 && button("Other songs", () => change({draw: draw + 1}), {title: "Others that are nearly as alike", "data-key": "others"}),
      unkept.length > 0 && button("All into the playlist", () => change({list: [...kept, ...unkept]}), {"data-key": "all"}),
      linkButton()),
    el("p", {className: "small"}, `Chosen from ${counted(left, "song")}${left === catalogue ? "" : ` of ${count(catalogue)}`}.`),
    behind("recommend", body),
  ];
}
