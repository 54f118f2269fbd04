/** The list of recommendations: its songs, why they are there, and what it began with. */

import {change, EMPTY, explore, MOST_SEEDS, now, PAGE, PROFILE, share, start, watch, write} from "./state.js";
import {ask, linkIn, mean, numbers, once, path, recall, remember} from "./service.js";
import {again, nameOf, showing, watchAnswers} from "./answers.js";
import {announce, button, by, clock, count, counted, el, find, icon, ICONS, keepingFocus, listed, svg, trouble, untagged} from "./elements.js";
import {behind, changeAndTell, linkButton, play, playAll, playButton} from "./controls.js";

const MOST = 100;
const list = find("#songs");
const said = find("#songs-said");
const head = find("#about-seed");
const below = find("#songs-below");
let announced = null, standing = null; // the answers that were told, and whose songs stand there

/** Show recommendations, once. */
export const show = once(async () => {
  watchAnswers(shown => (shown.answer && shown.answer === standing && !shown.busy && !shown.problem ? complete(shown.answer) : drawList(shown)));
  watch((state, before) => {
    if (state.list !== before?.list) drawList(showing());
  });
});

function drawList({answer, about: seeds, problem, busy, request, body}) {
  const other = String(seeds.map(({key}) => key)) !== String(now().seeds.map(({key}) => key)); // the answer is to what was asked before
  const title = request ? titleOf(problem && answer ? seeds : now().seeds) : "";
  const root = find("#results");
  root.hidden = !request;
  root.setAttribute("aria-busy", String(busy));
  root.classList.toggle("stale", Boolean(answer && (busy || problem)));
  find("#songs-title").textContent = title;
  document.title = title ? `${title} · Segue` : "Segue: songs that follow";
  said.replaceChildren(...message({answer, problem, busy, request}));
  find("#songs-legend").hidden = !answer?.recommendations.length;
  keepingFocus(root, () => {
    about(request && !problem ? seedHead() : null);
    find("#songs-play").replaceChildren(...(answer?.recommendations.length && !problem ? [playAll(answer.recommendations), ...radioFrom(seeds), mixButton(), shapeButton()] : []));
    list.replaceChildren(...(answer && !(busy && other) ? rows(answer) : busy ? Array.from({length: PAGE}, blank) : []));
    below.replaceChildren(...(answer && !problem ? further(answer, body) : []));
  });
  if (answer && !busy && announced !== answer) announce(`${counted(answer.recommendations.length, "song")}: ${title}.`);
  announced = busy ? announced : answer;
  standing = busy || problem ? null : answer;
}

/** Add what has become known of the songs that stand there. */
function complete(answer) {
  keepingFocus(head, () => about(seedHead()));
  answer.recommendations.forEach((song, place) => tell(list.children[place], recall(song.id), base(answer, song)));
}

/** The button of a radio that begins with the songs among the seeds, if there is one. */
function radioFrom(seeds) {
  const songs = seeds.filter(({kind, less}) => kind === "song" && !less).map(({key}) => recall(key)).filter(Boolean);
  return songs.length ? [radioButton(songs)] : [];
}

/** The button that opens the sliders where they are not beside the list. */
function shapeButton() {
  return button("Shape it", () => {
    find("#shaping").open = true;
    find("#shaping input").focus();
  }, {className: "narrow", "data-key": "shape"});
}

function about(told) {
  head.hidden = !told;
  head.replaceChildren(...(told ? [told] : []));
}

/** What the list is, as a heading and as the title of the page. */
function titleOf(seeds) {
  const [towards, away] = [false, true].map(less => seeds.filter(seed => seed.less === less).map(nameOf).map(untagged));
  const like = towards.length ? `Songs like ${listed(towards)}` : "Songs";
  return away.length ? `${like}, less like ${listed(away)}` : like;
}

function message({answer, problem, busy, request}) {
  if (problem) return [trouble(problem, {again, take: song => start([{kind: "song", key: song.id, less: false}]), more: cure(problem)})];
  if (busy || !request || answer?.recommendations.length) return [];
  return [el("div", {className: "trouble"},
    el("p", {className: "trouble-said"}, "No song is left."),
    el("p", {}, "Take away a filter or an artist that is never wanted, or begin with another song."))];
}

/** A seed that the catalogue has no longer, as from an old link, can be taken away. */
function cure(problem) {
  const lost = problem.pointers.map(pointer => Number(/^\/seeds\/(\d+)/.exec(pointer)?.[1] ?? NaN)).filter(Number.isInteger);
  if (!lost.length || problem.status !== 404) return [];
  return [button("Take away what is not known", () => change({seeds: now().seeds.filter((_, place) => !lost.includes(place))}))];
}

function rows(answer) {
  return answer.recommendations.map(song => tell(row(song, answer.recommendations), recall(song.id), base(answer, song)));
}

/** The features of the seed that a song is nearest to; of all songs among the seeds where that is none. */
function base(answer, song) {
  const nearest = recall(answer.seeds[song.why.closest_seed]?.id);
  const seeds = nearest?.features ? [nearest] : answer.seeds.map(({id}) => recall(id)).filter(one => one?.features);
  return mean(seeds);
}

const blank = () => el("li", {className: "song blank", "aria-hidden": "true"});

function further(answer, body) {
  const {limit, draw, list: kept} = now(), songs = answer.recommendations;
  const unkept = songs.filter(({id}) => !kept.includes(id)).map(({id}) => id);
  const {catalogue, after_filters: left} = answer.pool;
  return [
    el("p", {className: "actions"},
      songs.length === limit && limit < MOST && button("More songs", () => change({limit: Math.min(MOST, limit + PAGE)}, {replace: true}), {"data-key": "longer"}),
      songs.length > 0 && button("Other songs", () => change({draw: draw + 1}), {title: "Others that are nearly as alike", "data-key": "others"}),
      unkept.length > 0 && button("All into the playlist", () => change({list: [...kept, ...unkept]}), {"data-key": "all"}),
      linkButton()),
    el("p", {className: "small"}, `Chosen from ${counted(left, "song")}${left === catalogue ? "" : ` of ${count(catalogue)}`}.`),
    behind("recommend", body),
  ];
}

// --- one song ---

const PARTS = {
  audio: "sound", artist: "artists", genre: "genres", fame: "popularity", year: "year", joint: "all at once",
  played: "playlists", together: "played together", less_like: "unlike what you avoid", targets: "your sliders",
  words: "words", explicit: "explicit words",
};
const TOLD = 0.005; // of a likeness, from which a part of it has a name of its own

/** A row of the list of recommendations, `songs`. */
function row(song, songs) {
  return el("li", {className: "song", data: {id: song.id}},
    el("span", {className: "rank"}, String(song.rank)),
    el("div", {className: "about"},
      el("h3", {}, el("a", {href: linkTo("song", song.id), className: "title", onclick: toTop, "data-key": `title ${song.id}`},
        el("bdi", {className: "song-name", title: song.name}, song.name)),
        song.explicit && el("abbr", {className: "explicit", title: "explicit"}, "E")),
      facts(song),
      el("p", {className: "why"}, song.why.reasons.join(" · "))),
    el("p", {className: "song-actions"}, actions(song)),
    el("div", {className: "song-profile"}),
    likeness(song),
    el("div", {className: "song-keep"}, playButton(song, () => songs, {className: "round", "data-key": `play ${song.id}`}), keepButton(song)));
}

/** A row with the year and the sound of its song, as far as they are known; base : the features of the seed. */
function tell(made, known, base) {
  const year = find(".song-year", made);
  if (known?.year) year.textContent = `, ${Math.round(known.year)}`;
  year.classList.toggle("awaited", !known?.features);
  if (known?.features) find(".song-profile", made).replaceChildren(...profile(known, base, known.id));
  return made;
}

/** Artists, album, year and length of a song. */
function facts(song) {
  return el("p", {className: "facts"},
    artists(song, "song-artists"),
    song.album && el("span", {className: "song-album", title: song.album}, " on ", el("bdi", {}, song.album)),
    el("span", {className: song.features ? "song-year" : "song-year awaited"}, song.year && `, ${Math.round(song.year)}`),
    song.duration_ms && el("span", {className: "song-length"}, ` · ${clock(song.duration_ms)}`));
}

/** The artists of a song, each with a link to all that is known of them. */
export function artists(song, className) {
  if (!song.artists.length) return el("bdi", {className}, by(song));
  return el("bdi", {className, title: by(song)}, song.artists.map((name, place) => [
    place > 0 && ", ", el("a", {href: linkTo("artist", name), onclick: toTop, "data-key": `artist ${place} ${song.id}`}, name)]));
}

/** The address at which a song, an artist or a genre is the seed. */
export function linkTo(kind, key) {
  const {never, clean, list, name} = now();
  return write({...EMPTY, never, clean, list, name, seeds: [{kind, key, less: false}]});
}

/** What is begun anew is read from the top. */
const toTop = event => !(event.ctrlKey || event.metaKey || event.shiftKey) && requestAnimationFrame(() => scrollTo(0, 0));

/** A button that puts a song into the playlist, or takes it out. */
function keepButton(song) {
  const kept = now().list.includes(song.id);
  return button(icon(kept ? ICONS.done : ICONS.add), () => {
    const {list} = now();
    change({list: list.includes(song.id) ? list.filter(id => id !== song.id) : [...list, song.id]});
  }, {
    label: `${song.name} in the playlist`, "aria-pressed": String(kept), className: "round", "data-key": `keep ${song.id}`,
    title: kept ? "Take out of the playlist" : "Put into the playlist",
  });
}

function actions(song) {
  const artist = song.artists[0];
  return [
    button("More like this", () => {
      start([{kind: "song", key: song.id, less: false}]);
      scrollTo(0, 0);
    }, {label: `More like this: ${song.name}`, "data-key": `more ${song.id}`}),
    button("Less like this", () => changeAndTell({seeds: [...now().seeds.slice(0, MOST_SEEDS - 1), {kind: "song", key: song.id, less: true}]},
      `“${song.name}” and songs like it are taken away.`), {label: `Less like this: ${song.name}`, "data-key": `less ${song.id}`}),
    artist && button("Never this artist", () => changeAndTell({never: [...new Set([...now().never, artist])]}, `Nothing of ${artist} from here on.`),
      {label: `Never this artist: ${artist}`, "data-key": `never ${song.id}`}),
  ];
}

/** How alike a song is, as a number and as a bar of the parts that make it up. */
function likeness(song) {
  const parts = Object.entries(song.why.parts).filter(([, part]) => part > 0.0005).sort(([, one], [, other]) => other - one);
  const percent = Math.round(100 * song.score);
  const named = parts.filter(([name, part]) => name in PARTS && part >= TOLD);
  const rest = parts.reduce((sum, [, part]) => sum + part, 0) - named.reduce((sum, [, part]) => sum + part, 0);
  const said = [...named.map(([name, part]) => [PARTS[name], part]), ...(rest >= TOLD ? [["the rest", rest]] : [])]
    .map(([name, part]) => `${name} ${Math.round(100 * part)}`).join(", ");
  const bar = el("span", {className: "bar", "aria-hidden": "true"}, parts.map(([, part], place) => {
    const piece = el("span", {className: "bar-part"});
    piece.style.setProperty("--share", `${100 * part}%`);
    piece.style.setProperty("--place", String(place));
    return piece;
  }));
  return el("div", {className: "likeness", title: `Made up of ${said}`},
    el("span", {className: "percent"}, `${percent}`, el("span", {className: "unit"}, " %")),
    el("span", {className: "unseen"}, ` alike: ${said}`), bar);
}

// --- its sound ---

const WIDE = 8, APART = 4, HIGH = 30; // units of the drawing

/**
 * The profile of a song with features; `base` has the seed's, or is null.
 *
 * A pointer names one column; a press, which is a tap or Enter, names all of them below.
 */
function profile(song, base, key) {
  const values = numbers(song);
  const columns = PROFILE.filter(({name}) => name in values);
  const width = columns.length * (WIDE + APART) - APART;
  const marks = columns.map((column, place) => svg("g", {}, titled(columnSaid(column, values, base)), ...drawn(column, place * (WIDE + APART), values, base)));
  const list = el("ul", {className: "profile-told", hidden: true}, columns.map(column => el("li", {}, columnSaid(column, values, base))));
  const made = el("button", {
    type: "button", className: "profile-button", "aria-expanded": "false", "data-key": `sound ${key}`, title: "What the columns are",
    onclick: () => {
      list.hidden = !list.hidden;
      made.setAttribute("aria-expanded", String(!list.hidden));
    },
  }, svg("svg", {class: "profile", viewBox: `0 0 ${Math.max(width, 1)} ${HIGH}`, role: "img",
    "aria-label": `Sound: ${columns.map(column => columnSaid(column, values, base)).join(", ")}`}, ...marks));
  return [made, list];
}

function drawn(column, x, values, base) {
  const height = Math.max(1, HIGH * share(column, values[column.name]));
  const bar = svg("rect", {x, y: HIGH - height, width: WIDE, height, class: "profile-bar"});
  const track = svg("rect", {x, y: 0, width: WIDE, height: HIGH, class: "profile-track"});
  if (!(base && column.name in base)) return [track, bar];
  const y = Math.min(HIGH - 2, Math.max(0, HIGH - HIGH * share(column, base[column.name]) - 1));
  return [track, bar, svg("rect", {x: x - 1, y, width: WIDE + 2, height: 2, class: "profile-seed"})];
}

function titled(text) {
  const title = svg("title");
  title.textContent = text;
  return title;
}

function columnSaid(column, values, base) {
  const look = value => (column.name === "tempo" ? `${Math.round(value)} bpm` : `${Math.round(100 * value)}`);
  const seed = base && column.name in base ? ` (seed ${look(base[column.name])})` : "";
  return `${column.label} ${look(values[column.name])}${seed}`;
}

// --- songs in a line each ---

/** Lines of songs, whose names explore them; `key` tells lists apart that hold the same song. */
export const songLines = (songs, key) => songs.map(song => line(song, key, songs));

function line(song, key, songs) {
  return el("li", {className: "line", data: {id: song.id}},
    button(el("bdi", {className: "song-name", title: song.name}, song.name), () => explore(song.id),
      {className: "line-name", title: "Hear what follows", "data-key": `${key} ${song.id}`}),
    artists(song, "line-by"),
    el("span", {className: "line-keep"}, playButton(song, () => songs, {className: "round", "data-key": `play ${key} ${song.id}`}), keepButton(song)));
}

// --- what the list began with ---

const GENRES = 4, SIMILAR = 8, FIRST = 5, AT_A_TIME = 50; // of an artist: genres and artists that are named, songs at first and at a time
const known = new Map(); // artist -> what the service tells
const unfolded = new Set(); // artists all of whose songs are shown, also when the list below comes and all is drawn anew

/** What is told of the only seed that is liked, once it is known; nothing where there are several. */
export function seedHead() {
  const liked = now().seeds.filter(({less}) => !less), [{kind, key} = {}] = liked;
  if (liked.length !== 1 || kind === "genre") return null;
  if (kind === "artist") return artistHead(key);
  return recall(key) ? songHead(recall(key)) : el("div", {className: "seed-head blank"});
}

function songHead(song) {
  const name = untagged(song.name), {genres = [], cluster} = song, {place, asks} = artwork(song);
  return el("div", {className: "seed-head"}, place,
    el("div", {className: "seed-name"},
      el("h2", {}, el("bdi", {title: song.name}, name)),
      song.album === undefined ? el("p", {className: "facts"}, artists(song, "song-artists")) : facts(song)),
    el("div", {className: "song-keep"}, playButton(song, () => [song], {className: song.features ? "round" : "round awaited", "data-key": "play seed"}), keepButton(song), asks),
    el("p", {className: "seed-tags"},
      genres.slice(0, GENRES).map(genre => el("a", {href: linkTo("genre", genre)}, genre)),
      cluster && el("a", {href: write({...now(), view: "map", cluster: cluster.id, at: EMPTY.at}), className: "seed-cluster"}, `in “${cluster.name}” on the map`)));
}

/** The button that shows the field for more seeds where it is not always there. */
function mixButton() {
  return button([icon(ICONS.add), "Mix"], () => {
    find("#mix").classList.remove("single");
    find("#add").focus();
  }, {className: "with-icon phone", title: "Add a song, artist or genre", "data-key": "mix"});
}

/** A button that plays songs and goes on with what follows, as a radio. */
export function radioButton(songs) {
  return button([icon(ICONS.radio), "Radio"], () => play(songs, {radio: true}), {
    className: `with-icon ${songs.some(({link}) => link) ? "" : "unsure"}`, title: "Play this, and go on with what follows", "data-key": "radio",
  });
}

function artistHead(name) {
  const place = el("div", {className: `seed-head artist-head ${known.has(name) ? "" : "awaited"}`}, el("div", {className: "seed-name"}, el("h2", {}, el("bdi", {}, name))));
  if (known.has(name)) place.append(...artistTold(known.get(name)));
  else pageOf(name, 0).then(artist => {
    known.set(name, artist);
    place.append(...artistTold(artist));
  }, () => {}).finally(() => place.classList.remove("awaited")); // the list below tells what is wrong
  return place;
}

/** An artist's songs, the best known first, genres and similar artists. */
function artistTold({name, size, genres, similar, songs}) {
  remember(songs);
  const list = el("ol", {className: "lines", "aria-label": `Songs by ${name}`}, songLines(songs.slice(0, FIRST), "of"));
  const unfold = () => {
    unfolded.add(name);
    all.remove();
    list.append(...songLines(songs.slice(FIRST), "of"));
    moreOf(name, size, list, songs.length);
  };
  const all = button(`All ${counted(size, "song")}`, unfold, {"data-key": "all of"});
  const isFolded = size > FIRST && !unfolded.has(name);
  if (unfolded.has(name)) unfold();
  return [
    el("p", {className: "song-keep"}, playAll(songs, {"data-key": "play artist"}), radioButton(songs.slice(0, 1))),
    el("p", {className: "seed-tags"}, genres.slice(0, GENRES).map(genre => el("a", {href: linkTo("genre", genre.name)}, genre.name))),
    list, ...(isFolded ? [all] : []),
    similar.length > 0 && el("p", {className: "seed-similar"}, "Similar: ", similar.slice(0, SIMILAR).map(({name: other}, place) => [
      place > 0 && ", ", el("a", {href: linkTo("artist", other)}, el("bdi", {}, other))])),
  ].filter(Boolean);
}

const pageOf = (name, offset) => ask(path(`artists/${encodeURIComponent(name)}`, {offset, limit: AT_A_TIME}));

/** The songs of an artist after the first page, page by page. */
async function moreOf(name, size, list, offset) {
  if (offset >= size) return;
  const {songs} = await pageOf(name, offset).catch(() => ({songs: []}));
  remember(songs);
  list.append(...songLines(songs, "of"));
  if (songs.length) await moreOf(name, size, list, offset + AT_A_TIME);
}

// --- pictures ---

const PICTURE = /(^|_)(artwork|cover|image|picture|thumbnail)(_|$)/i; // columns of a table that name one
const AGREED = "segue.artwork"; // in this browser
const SPOTIFY = "https://open.spotify.com/oembed?url="; // https://developer.spotify.com/documentation/embeds/reference/oembed
const found = new Map(); // song -> {address, asked}, where `asked` says whether it is Spotify's

/** The picture of a song, and where there may be one at Spotify the button that asks for it or no longer does. */
function artwork(song) {
  const place = el("div", {className: "artwork"}), asks = el("span", {className: song.link || !song.features ? "artwork-asks awaited" : "artwork-asks"});
  drawPicture(song, place, asks);
  return {place, asks};
}

async function drawPicture(song, place, asks) {
  if (found.has(song.id)) return showPicture(song, place, asks);
  const own = await linkIn(song, PICTURE).catch(() => null);
  const address = own ?? (song.link && agreed() ? await thumbnail(song).catch(() => null) : null);
  if (address) found.set(song.id, {address, asked: !own});
  else if (song.link && agreed()) announce("Spotify gives no picture of this song.");
  return own || song.link ? showPicture(song, place, asks) : undefined;
}

function showPicture(song, place, asks) {
  const {address, asked = true} = found.get(song.id) ?? {}, on = asked && agreed();
  place.replaceChildren(...(address ? [el("img", {src: address, alt: "", width: 88, height: 88, onerror: () => place.replaceChildren()})] : []));
  asks.classList.remove("awaited");
  asks.replaceChildren(...(asked ? [button(icon(ICONS.picture), () => turn(!on, song, place, asks), {
    label: on ? "Hide artwork" : "Show artwork", title: on ? "Hide artwork" : "Show artwork, which asks Spotify for it", className: "round", "data-key": "artwork",
  })] : []));
}

function turn(on, song, place, asks) {
  agree(on);
  found.clear();
  keepingFocus(asks, () => showPicture(song, place, asks));
  return drawPicture(song, place, asks);
}

async function thumbnail({link}) {
  const answer = await fetch(SPOTIFY + encodeURIComponent(link), {credentials: "omit"});
  return answer.ok ? (await answer.json()).thumbnail_url : null;
}

function agreed() {
  try {
    return localStorage.getItem(AGREED) === "yes";
  } catch {
    return false;
  }
}

function agree(on) {
  try {
    if (on) localStorage.setItem(AGREED, "yes");
    else localStorage.removeItem(AGREED);
  } catch {
    // a private window may keep nothing
  }
}
