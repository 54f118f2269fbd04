/** What a text was taken for, in words, and what else it may mean where there is doubt. */

import {songCount} from "../core/catalogue.js";
import {DIALS} from "../core/dials.js";
import {announce, button, el} from "../core/dom.js";
import {by, count, listed, untagged} from "../core/words.js";
import {bare} from "./choices.js";

const OTHERS = 3, NEAREST = 5; // choices that are offered
const LINK = /(?:spotify:|open\.spotify\.com\/(?:[\w-]+\/)?)(album|playlist|show|episode|user|concert)[:/]/i;

const BEGUN = 3; // letters that begin a title
const TYPED = 0.75; // of the letters of a name, which a text needs to be that name with some missing

/** Whether the first choice is meant, typos aside, or only the nearest by name. */
export const sure = (text, [{song}]) => song?.match !== "guess" || typed(text, song);

/** Whether a text begins the title of a song, or is the title, with the artist or without, but for missing letters. */
function typed(text, song) {
  const title = untagged(song.name);
  return [title, `${title} ${by(song)}`, `${by(song)} ${title}`].some(name => {
    const [short, long] = [bare(text), bare(name)].sort((one, other) => one.length - other.length);
    return short.length >= (long.startsWith(short) ? BEGUN : TYPED * long.length) && within(short, long);
  });
}

/** Whether the letters of one text stand in the other, in their order: with another letter it may be another word. */
function within(short, long) {
  let at = 0;
  for (const letter of long) if (letter === short[at]) at += 1;
  return at === short.length;
}

/**
 * What is said of a text, as elements; nothing where it can only have one meaning.
 *
 * choices : what was found, the best first; choose(choice) : begins with another
 */
export async function meaning(text, choices, choose) {
  const [best, ...others] = choices, taken = await takenFor(text, best);
  const doubtful = sure(text, choices) ? others.filter(other => (best.song && best.song.match !== "exact") || bare(other.name) === bare(text)).slice(0, OTHERS) : choices.slice(0, NEAREST);
  if (!taken && !doubtful.length) return [];
  const asks = sure(text, choices) && doubtful.length ? `${taken ? "" : `You typed “${text}”. `}Not what you meant? ` : "";
  if (taken) announce(taken);
  return [el("p", {className: "meant"}, taken, taken && " ", asks,
    ...doubtful.map(choice => button(`${choice.name}${choice.note && ` · ${choice.note}`}`, () => choose(choice))))];
}

/** A sentence on the best choice; empty where that is what the text says. */
async function takenFor(text, {kind, name, song, described}) {
  if (described) return `Understood as ${listed([...described.genres, ...worded(described)])}.`;
  if (kind === "artist") return `${name} is an artist.`;
  if (song && !sure(text, [{song}])) return `“${text}” isn’t among ${count(await songCount().catch(() => 0))} songs. Nearest by name:`;
  if (song?.match === "title") return `“${song.name}” is here, but by ${by(song)}.`;
  return ["close", "guess"].includes(song?.match) ? `“${text}” was taken for “${song.name}” by ${by(song)}.` : "";
}

/** What a description says beside its genre, in words: values of dials and years. */
function worded({targets = {}, years}) {
  const turned = DIALS.filter(dial => dial.name in targets).map(dial => `${dial.label.toLowerCase()} ${dial.look(targets[dial.name])}`);
  return [...turned, years && (years[0] === years[1] ? `of ${years[0]}` : `from ${years[0]} to ${years[1]}`)].filter(Boolean);
}

/** A sentence on a link that leads to no song; null where the text is none. */
export function linkSaid(text) {
  const kind = LINK.exec(text)?.[1].toLowerCase();
  return kind ? `This is a link to ${/^[ae]/.test(kind) ? "an" : "a"} ${kind}. Name one of its songs, or paste the link of a song or an artist.` : null;
}
