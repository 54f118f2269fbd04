/** Asking the service: JSON or a problem in words, with news of how long it takes. */

const PATIENCE = 700; // milliseconds after which a wait is told
const waiting = new Set(); // when each request that is under way began
const listeners = [];
let ticking = 0;

/** What went wrong, in words: of a problem document (RFC 9457), or of the way to the service. */
export class Problem extends Error {
  constructor({detail, errors = [], suggestions = []}, status = 0) {
    super(detail);
    this.status = status;
    this.faults = errors.map(fault => fault.detail).filter(fault => fault !== detail);
    this.pointers = errors.map(fault => fault.pointer);
    this.suggestions = suggestions;
  }

  /** Whether the service was not reached at all. */
  get unreached() {
    return this.status === 0;
  }
}

/** Whether an error only says that an answer is no longer wanted. */
export const aborted = error => error.name === "AbortError";

/** The path of a request with its parameters. */
export function path(name, parameters = {}) {
  const query = new URLSearchParams(parameters).toString();
  return query ? `${name}?${query}` : name;
}

/** What a path answers; with a body it is posted. Raises a Problem, or AbortError once the signal says so. */
export async function ask(address, options) {
  const answer = await answered(address, options);
  return await parsed(answer) ?? refuse(null, answer.status);
}

/** The answer to a request, in whichever form it is. Raises a Problem where the service refuses or fails. */
export async function answered(address, options) {
  const answer = await reached(address, options);
  return answer.ok ? answer : refuse(await parsed(answer), answer.status);
}

/** The answer to a request, whatever it is; a body is URLSearchParams or goes as JSON. Raises a Problem where there is none. */
export async function reached(address, {body, signal} = {}) {
  const posted = body === undefined ? {} : {method: "POST", ...content(body)};
  const began = performance.now();
  begin(began);
  try {
    return await fetch(address, {...posted, signal});
  } catch (error) {
    if (aborted(error)) throw error;
    throw new Problem({detail: navigator.onLine ? "The service can’t be reached." : "You are offline."});
  } finally {
    end(began);
  }
}

const content = body => body instanceof URLSearchParams ? {body} : {body: JSON.stringify(body), headers: {"Content-Type": "application/json"}};

/** A function that asks once, whoever calls it, and once more after a failure. */
export function once(work) {
  let asked = null;
  return () => {
    asked ??= work().catch(error => {
      asked = null;
      throw error;
    });
    return asked;
  };
}

/** A function that makes signals; each one aborts the one before, whose answer nobody waits for any more. */
export function latest() {
  let controller = new AbortController();
  return () => {
    controller.abort();
    controller = new AbortController();
    return controller.signal;
  };
}

/** Call a function with the seconds that the longest wait has taken, again and again, and with null once it is over. */
export function watchWaits(listener) {
  listeners.push(listener);
}

function parsed(answer) {
  return answer.json().catch(error => {
    if (aborted(error)) throw error;
    return null;
  });
}

function refuse(said, status) {
  throw new Problem(said?.detail ? said : {detail: `The service answered ${status} and nothing that can be read.`}, status);
}

function begin(time) {
  waiting.add(time);
  ticking ||= setInterval(tell, 200);
}

function end(time) {
  waiting.delete(time);
  if (waiting.size) return;
  clearInterval(ticking);
  ticking = 0;
  tell();
}

function tell() {
  const longest = performance.now() - Math.min(...waiting);
  if (waiting.size && longest < PATIENCE) return;
  for (const listener of listeners) listener(waiting.size ? longest / 1000 : null);
}
