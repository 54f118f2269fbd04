// Drives @spotify/web-api-ts-sdk: reads {base, songs, artists, genres, nobody}, writes what each call came to.
import { SpotifyApi } from "@spotify/web-api-ts-sdk";
import { readFileSync } from "node:fs";

const given = JSON.parse(readFileSync(process.env.GIVEN, "utf8"));
const warnings = [];
console.warn = (...said) => warnings.push(said.join(" "));
process.on("warning", warning => warnings.push(String(warning)));

const spotify = globalThis.fetch;
globalThis.fetch = (url, options) =>
  spotify(String(url).replace(/https:\/\/(api|accounts)\.spotify\.com/, given.base), options);

const api = SpotifyApi.withClientCredentials("any", "client");
const [song, other] = given.songs, [artist] = given.artists;
const calls = {
  byTracks: () => api.recommendations.get({ seed_tracks: [song, other], limit: 30 }),
  byArtists: () => api.recommendations.get({ seed_artists: [artist], limit: 30, target_energy: 0, max_tempo: 200 }),
  byGenres: () => api.recommendations.get({ seed_genres: given.genres.slice(0, 2), limit: 30, min_energy: 0.1 }),
  byAll: () => api.recommendations.get({
    seed_tracks: [song], seed_artists: [artist], seed_genres: given.genres.slice(0, 1), limit: 30,
  }),
  genreSeeds: () => api.recommendations.genreSeeds(),
  track: () => api.tracks.get(song),
  tracks: () => api.tracks.get([song, given.nobody, other]),
  features: () => api.tracks.audioFeatures(song),
  severalFeatures: () => api.tracks.audioFeatures([song, given.nobody, other]),
  artist: () => api.artists.get(artist),
  artists: () => api.artists.get([artist, given.nobody]),
  related: () => api.artists.relatedArtists(artist),
  search: () => api.search("a", ["track", "artist"], undefined, 2, 2),
  unknown: () => api.tracks.get(given.nobody),
  noSeed: () => api.recommendations.get({}),
  notServed: () => api.playlists.getPlaylist("x"),
};
const found = {};
for (const [name, call] of Object.entries(calls))
  found[name] = await call().catch(error => ({ thrown: error.message }));
console.log(JSON.stringify({ found, warnings }));
