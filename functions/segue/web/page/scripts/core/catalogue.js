/** What the catalogue is: its clusters, which numbers its songs have, and a song by chance. */

import {ask, once, path} from "./api.js";

/** All clusters. */
export const clusters = once(async () => (await ask("clusters")).clusters);

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
