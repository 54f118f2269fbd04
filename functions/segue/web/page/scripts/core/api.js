/** Asking the service: JSON or a problem in words, with news of how long it takes. */

const KEPT_KEY = "segue.key"; // in this browser, for as long as the window is open
const PATIENCE = 700; // milliseconds after which a wait is told
const PASSING = new Set([0, 429, 502, 503, 504]); // statuses of what passes by itself
const SHORTEST = 4, LONGEST = 60; // seconds before it is asked again where the service does not say
const waiting = new Set(); // when each request that is under way began
const listeners = [];
let failures = 0; // in a row
let ticking = 0, asker = null, asking = null;

/** What went wrong, in words: of a problem document (RFC 9457), or of the way to the service. */
export class Problem extends Error {
  constructor({detail, errors = [], suggestions = []}, status = 0, wait = null) {
    super(detail);
    this.status = status;
    this.wait = PASSING.has(status) ? wait ?? Math.min(LONGEST, SHORTEST * 2 ** failures++) : null; // seconds until it is worth asking again
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
  return await parsed(answer) ?? refuse(null, answer);
}

/** The answer to a request, in whichever form it is. Raises a Problem where the service refuses or fails. */
export async function answered(address, options) {
  const answer = await reached(address, options);
  if (!answer.ok) refuse(await parsed(answer), answer);
  failures = 0;
  return answer;
}

/** The answer to a request, whatever it is; a body is URLSearchParams or goes as JSON. Raises a Problem where there is none. */
export async function reached(address, options = {}) {
  const used = kept(), answer = await sent(address, options, used);
  if (answer.status !== 401 || !asker || !(await unlocked(used))) return answer;
  return reached(address, options);
}

/** Ask a person for a key of the service where it wants one: asker(refused) resolves to a key, or to null. */
export const whenLocked = ask => { asker = ask; };

/** Whether there is another key than one that was refused; all requests wait for the same answer. */
async function unlocked(used) {
  if (kept() === used) await (asking ??= asker(used !== "").then(keep).finally(() => { asking = null; }));
  return kept() !== used;
}

/** The key of the service; empty where none was needed. */
export function kept() {
  try {
    return sessionStorage.getItem(KEPT_KEY) ?? "";
  } catch {
    return "";
  }
}

function keep(key) {
  if (key !== null) sessionStorage.setItem(KEPT_KEY, key);
}

async function sent(address, {body, signal}, key) {
  const posted = body === undefined ? {} : {method: "POST", ...content(body)};
  const began = performance.now();
  begin(began);
  try {
    return await fetch(address, {...posted, headers: {...posted.headers, ...(key && {"X-Api-Key": key})}, signal});
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

function refuse(said, {status, headers}) {
  throw new Problem(said?.detail ? said : {detail: `The service answered ${status} and nothing that can be read.`}, status, secondsOf(headers.get("Retry-After")));
}

/** The seconds that a header says to wait (RFC 9110, section 10.2.3); null where it says nothing. */
function secondsOf(text) {
  const seconds = /^\d+$/.test(text ?? "") ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return text && Number.isFinite(seconds) ? Math.max(1, Math.ceil(seconds)) : null;
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
