/** The songs that answer the state: asked for as soon as this is loaded, while what shows them still loads, and kept for Back. */

import {now, recommendation, watch} from "./state.js";
import {aborted, ask, details, detailsAhead, latest, recall, remember} from "./service.js";

const MOST_KEPT = 30;
const keptAnswers = new Map(); // request -> answer, the newest last
const answerListeners = [];
const anew = latest();
let shown = {request: null, body: null, answer: null, about: [], problem: null, busy: false};

/**
 * What is shown: the request's body and the answer to it, or the problem; busy while another is awaited; about are the
 * seeds of the answer, which may be an older one.
 */
export const showing = () => shown;

/** Call a function with what is shown whenever that changes. */
export function watchAnswers(listener) {
  answerListeners.push(listener);
}

/** Ask once more for what could not be had. */
export function again() {
  renew(shown.request, shown.body);
}

async function renew(request, body) {
  const signal = anew();
  if (!request) return show({request, body, answer: null, about: [], problem: null, busy: false});
  show({...shown, request, body, problem: null, busy: !keptAnswers.has(request)});
  try {
    const answer = keptAnswers.get(request) ?? await ask("recommend", {body, signal});
    keepAnswer(request, answer);
    remember([...answer.seeds.filter(({id}) => id), ...answer.recommendations]);
    show({request, body, answer, about: now().seeds, problem: null, busy: false});
    named();
    await details(ids(answer), signal);
    return show({...shown});
  } catch (problem) {
    if (!aborted(problem)) show({...shown, problem, busy: false, answer: problem.unreached ? shown.answer : null});
  }
  return undefined;
}

function keepAnswer(request, answer) {
  keptAnswers.delete(request);
  keptAnswers.set(request, answer);
  if (keptAnswers.size > MOST_KEPT) keptAnswers.delete(keptAnswers.keys().next().value);
}

function ids(answer) {
  return [...answer.seeds, ...answer.recommendations].map(({id}) => id).filter(Boolean);
}

function show(next) {
  shown = next;
  for (const listener of answerListeners) listener(shown);
}

addEventListener("online", () => shown.problem && again());

// --- names of seeds ---

const nameListeners = [];

/** What a seed is called; its id for as long as its song is not known. */
export const nameOf = ({kind, key}) => (kind === "song" ? recall(key)?.name ?? key : key);

/** Call a function when names have become known. */
export function watchNames(listener) {
  nameListeners.push(listener);
}

/** Tell that names have become known. */
export function named() {
  for (const listener of nameListeners) listener();
}

// --- at once ---

watch(state => {
  const body = state.seeds.length ? recommendation(state) : null;
  const request = body && JSON.stringify(body);
  if (request !== shown.request) renew(request, body);
});
if (now().view !== "songs") detailsAhead(now().list);
