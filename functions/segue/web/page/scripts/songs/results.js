/** The list of recommendations, and what is said in its place while there is none. */

import {again, showing, watchAnswers} from "../core/answers.js";
import {announce, button, el, find, keepingFocus} from "../core/dom.js";
import {nameOf} from "../core/names.js";
import {mean, recall} from "../core/songs.js";
import {change, now, start, watch} from "../core/store.js";
import {count, counted, listed} from "../core/words.js";
import {PAGE} from "../core/address.js";
import {trouble} from "../parts/trouble.js";
import {behind} from "../parts/behind.js";
import {row} from "./row.js";

const MOST = 100;
const list = find("#songs");
const said = find("#songs-said");
const below = find("#songs-below");
let told = null;

/** Show recommendations. */
export function showResults() {
  watchAnswers(draw);
  watch((state, before) => {
    if (before && state.list !== before.list) draw(showing());
  });
}

function draw({answer, problem, busy, request, body}) {
  const root = find("#results");
  root.hidden = !request;
  root.setAttribute("aria-busy", String(busy));
  root.classList.toggle("stale", Boolean(answer && (busy || problem)));
  find("#songs-title").textContent = request ? title() : "";
  document.title = request ? `${title()} · Segue` : "Segue: songs that follow";
  said.replaceChildren(...message({answer, problem, busy, request}));
  keepingFocus(root, () => {
    list.replaceChildren(...(answer ? rows(answer) : busy ? Array.from({length: PAGE}, blank) : []));
    below.replaceChildren(...(answer && !problem ? more(answer, body) : []));
  });
  if (answer && !busy && told !== answer) announce(`${counted(answer.recommendations.length, "song")}: ${title()}.`);
  told = busy ? told : answer;
}

/** What the list is, as a heading and as the title of the page. */
function title() {
  const [towards, away] = [false, true].map(less => now().seeds.filter(seed => seed.less === less).map(nameOf));
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
  return answer.recommendations.map(song => row(song, recall(song.id), base(answer, song)));
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
      unkept.length > 0 && button("All into the playlist", () => change({list: [...kept, ...unkept]}), {"data-key": "all"})),
    el("p", {className: "small"}, `Chosen from ${counted(left, "song")}${left === catalogue ? "" : ` of ${count(catalogue)}`}. `,
      "The bar shows what a likeness is made of, the columns the sound; the lines across them are the seed’s."),
    behind("recommend", body),
  ];
}
