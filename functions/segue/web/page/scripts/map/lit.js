/** What is lit on the map: the songs that are shown, and the playlist. */

import {showing} from "../core/answers.js";
import {recall} from "../core/songs.js";
import {now} from "../core/store.js";
import {placeOf} from "./points.js";

/** Seeds and the songs that follow, as far as it is known where they lie; seeds last, so that they are on top. */
export function lit() {
  const songs = (showing().answer?.recommendations ?? []).map(({id}) => id);
  const seeds = now().seeds.filter(({kind, less}) => kind === "song" && !less).map(({key}) => key);
  return [...songs.map(id => marker(id, false)), ...seeds.map(id => marker(id, true))].filter(({place}) => place);
}

const marker = (id, seed) => ({place: placeOf(recall(id)), name: recall(id)?.name, seed});

/** Where the playlist goes, from song to song: its stops, {place, name}. */
export const way = () => now().list.map(recall).filter(song => song && placeOf(song)).map(song => ({place: placeOf(song), name: song.name}));
