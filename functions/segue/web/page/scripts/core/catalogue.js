/** What the catalogue is: its clusters and their families, which numbers its songs have, and a song by chance. */

import {ask, once, path} from "./api.js";

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

/** The numbers that songs of this catalogue have. */
export async function attributes() {
  return new Set((await clusters()).flatMap(cluster => Object.keys(cluster.features)));
}

/** Any song, each as likely as the others. */
export async function anySong() {
  const all = await clusters();
  let place = Math.floor(Math.random() * all.reduce((sum, {size}) => sum + size, 0));
  const cluster = all.find(({size}) => (place -= size) < 0);
  return (await songsOf(cluster.id, place + cluster.size, 1))[0];
}

/** Songs of a cluster, from a place on. */
export async function songsOf(cluster, offset, limit, signal) {
  return (await ask(path(`clusters/${cluster}`, {offset, limit}), {signal})).songs;
}
