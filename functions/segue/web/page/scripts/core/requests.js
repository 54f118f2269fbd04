/** The requests behind what the page shows, as bodies, as curl and as Python. */

import {EMPTY} from "./address.js";
import {RANGES} from "./dials.js";

const INDENT = "    ";

/** The body of POST /recommend that answers a state. */
export function recommendation(state) {
  return {
    seeds: seeds(state),
    limit: state.limit,
    ...(Object.keys(state.targets).length && {targets: state.targets}),
    ...filters(state),
    ...(state.diversity && {diversity: state.diversity}),
    ...(state.most !== EMPTY.most && {max_per_artist: state.most || null}),
    ...(state.draw && {draw: state.draw}),
    explain: true,
  };
}

/** The seeds of a state as the API takes them; `less` is a weight below 0. */
export function seeds(state) {
  return state.seeds.map(({kind, key, less}) => ({[kind === "song" ? "id" : kind]: key, ...(less && {weight: -1})}));
}

/** The body of POST /continue after songs of a radio, by id, of which some were skipped. */
export function following(ids, skipped, limit, state) {
  const liked = ids.filter(id => !skipped.includes(id)), played = liked.length ? liked : ids.slice(0, 1);
  return {played, skipped: skipped.filter(id => !played.includes(id)), limit, ...filters(state)};
}

function filters({never, clean, only, without, ...state}) {
  const all = {
    ...Object.fromEntries(RANGES.filter(({name}) => state[name].length).map(({name, filter}) => [filter, state[name]])),
    ...(only.length && {genres: only}), ...(without.length && {exclude_genres: without}),
    ...(never.length && {exclude_artists: never}), ...(clean && {explicit: false}),
  };
  return Object.keys(all).length > 0 && {filters: all};
}

/** The address of a path of the service, for other programs. */
export const absolute = address => new URL(address, document.baseURI).href;

/** A request as a command for a shell. */
export function curl(address, body) {
  const command = `curl ${quoted(absolute(address))}`;
  if (body === undefined) return command;
  return `${command} \\\n  ${isForm(body) ? `--data ${quoted(String(body))}` : `--json ${quoted(JSON.stringify(body))}`}`;
}

/** A request as Python. */
export function python(address, body) {
  const url = JSON.stringify(absolute(address));
  const sent = () => isForm(body) ? `data=${literal(Object.fromEntries(body), INDENT)}` : `json=${literal(body, INDENT)}`;
  const call = body === undefined ? `requests.get(${url})` : `requests.post(\n${INDENT}${url},\n${INDENT}${sent()},\n)`;
  return `import requests\n\nanswer = ${call}\nprint(answer.json())`;
}

const isForm = body => body instanceof URLSearchParams;
const quoted = text => `'${text.replaceAll("'", "'\\''")}'`;

function literal(value, indent) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(one => literal(one, indent)).join(", ")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  const inner = indent + INDENT;
  const entries = Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}: ${literal(one, inner)}`);
  const short = `{${entries.join(", ")}}`;
  return short.length < 72 ? short : `{\n${entries.map(entry => `${inner}${entry},\n`).join("")}${indent}}`;
}
