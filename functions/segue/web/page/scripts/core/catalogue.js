/** What the catalogue is: its clusters and their families, which numbers its songs have, and songs that are well known. */

import {ask, once, path} from "./api.js";
import {details, recall, remember} from "./songs.js";

const SEASON = /\b(?:christmas|xmas|x-mas|holidays?|no[eë]l|navidad|natal|weihnacht\p{L}*|halloween|santa|easter|hanukkah)\b/iu;
const LARGEST = 3, BEST = 2; // clusters of a family, and songs of each, among which its best-known song is looked for
const grouped = once(() => ask("clusters"));

/** All clusters. Their ids rise, but some may be missing: a cluster keeps its id when the model is trained again. */
export const clusters = async () => (await grouped()).clusters;

/** The cluster that has an id; undefined where none has. */
export const clusterOf = async id => (await clusters()).find(cluster => cluster.id === id);

/** The families, each with its clusters, the largest first. */
export async function families() {
  const all = await grouped(), byId = new Map(all.clusters.map(cluster => [cluster.id, cluster]));
  const members = ids => ids.map(id => byId.get(id)).sort((one, other) => other.size - one.size);
  return all.families.map(family => ({...family, clusters: members(family.clusters)}));
}

/** All genres, {name, songs}, the largest first. */
export const genres = once(async () => (await ask("genres")).genres.sort((one, other) => other.songs - one.songs));

/** The numbers that songs of this catalogue have. */
export async function attributes() {
  return new Set((await clusters()).flatMap(cluster => Object.keys(cluster.features)));
}

/** Songs that a listener knows, of all clusters; none of a season. */
export async function knownSongs() {
  const all = await clusters();
  return all.filter(inSeason).flatMap(({typical}) => typical.filter(({name}) => !SEASON.test(name)));
}

/** Well-known songs, each of another artist: the best-known one of each family, and of few families more. */
export async function wellKnown(number) {
  const ofFamilies = (await families()).map(family => family.clusters.filter(inSeason).slice(0, LARGEST)
    .flatMap(({typical}) => typical.filter(({name}) => !SEASON.test(name)).slice(0, BEST)));
  remember(ofFamilies.flat());
  await details(ofFamilies.flat().map(({id}) => id));
  const known = ofFamilies.map(songs => songs.map(({id}) => recall(id)).sort(byFame)), first = known.flatMap(songs => songs.slice(0, 1)).sort(byFame);
  const all = [...first, ...known.flatMap(songs => songs.slice(1)).sort(byFame)];
  return all.filter(({artists}, place) => all.findIndex(other => other.artists[0] === artists[0]) === place).slice(0, number);
}

const byFame = (one, other) => (other.popularity ?? 0) - (one.popularity ?? 0);

/** Whether a cluster is for the whole year. */
const inSeason = ({name, genres}) => !SEASON.test([name, ...genres.map(genre => genre.name)].join(" "));

/** How many songs there are. */
export const songCount = async () => (await clusters()).reduce((sum, {size}) => sum + size, 0);

/** Songs of a cluster, from a place on. */
export async function songsOf(cluster, offset, limit, signal) {
  return (await ask(path(`clusters/${cluster}`, {offset, limit}), {signal})).songs;
}
