/** The songs that answer the state: asked for when what they depend on changes, kept for Back. */

import {aborted, ask, latest} from "./api.js";
import {named} from "./names.js";
import {recommendation} from "./requests.js";
import {details, remember} from "./songs.js";
import {now, watch} from "./store.js";

const MOST_KEPT = 30;
const kept = new Map(); // request -> answer, the newest last
const listeners = [];
const anew = latest();
let shown = {request: null, body: null, answer: null, about: [], problem: null, busy: false};

/**
 * What is shown: the request's body and the answer to it, or the problem; busy while another is awaited; about are the
 * seeds of the answer, which may be an older one.
 */
export const showing = () => shown;

/** Call a function with what is shown whenever that changes. */
export function watchAnswers(listener) {
  listeners.push(listener);
}

/** Keep what is shown as the state wants it. */
export function followState() {
  watch(state => {
    const body = state.seeds.length ? recommendation(state) : null;
    const request = body && JSON.stringify(body);
    if (request !== shown.request) renew(request, body);
  });
}

/** Ask once more for what could not be had. */
export function again() {
  renew(shown.request, shown.body);
}

async function renew(request, body) {
  const signal = anew();
  if (!request) return tell({request, body, answer: null, about: [], problem: null, busy: false});
  tell({...shown, request, body, problem: null, busy: !kept.has(request)});
  try {
    const answer = kept.get(request) ?? await ask("recommend", {body, signal});
    keep(request, answer);
    remember([...answer.seeds.filter(({id}) => id), ...answer.recommendations]);
    tell({request, body, answer, about: now().seeds, problem: null, busy: false});
    named();
    await details(ids(answer), signal);
    return tell({...shown});
  } catch (problem) {
    if (!aborted(problem)) tell({...shown, problem, busy: false, answer: problem.unreached ? shown.answer : null});
  }
  return undefined;
}

function keep(request, answer) {
  kept.delete(request);
  kept.set(request, answer);
  if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value);
}

function ids(answer) {
  return [...answer.seeds, ...answer.recommendations].map(({id}) => id).filter(Boolean);
}

function tell(next) {
  shown = next;
  for (const listener of listeners) listener(shown);
}

addEventListener("online", () => shown.problem && again());
