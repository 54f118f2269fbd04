/** What is written on the map: families when it is far, their clusters when it is nearer, genres when it is nearest. */

const CLUSTERS = 1.5, GENRES = 6; // times that the map is enlarged from which each is written
const MOST = 3, LEAST = 0.1; // genres of a cluster, and the share of its songs that one needs
const WIDEST = 18; // characters of a line
const FEW = 0.05; // of the points in sight, to write on them what lies in the middle of others

/**
 * Labels, those that are placed first in front.
 *
 * zoom : times that the map is enlarged; all : what points() gives; chosen : one of its groups, or undefined
 * box : what of the plane is in sight, {left, top, right, bottom} in its units
 * Returns {members (groups), leads (whether a press leads to them), lines, middles (where it may be), size (pixels), light (whether the lines after the first are), strong, faint}
 */
export function labels(zoom, {groups, families, places}, chosen, box) {
  const written = zoom < CLUSTERS ? families.map(family => ({...titled(family, 15), members: family.clusters, leads: true}))
    : groups.filter(group => group !== chosen).map(group => ({...titled(group, 14), ...(zoom >= GENRES && genres(group)), members: [group], leads: true}));
  const all = written.map(label => ({...label, faint: Boolean(chosen) && !label.members.includes(chosen)}));
  if (chosen) all.unshift({...titled(chosen, 14), members: [chosen], strong: true});
  return inSight(all, places, box).sort((one, other) => weight(other) - weight(one));
}

const weight = ({strong, seen: points}) => (strong ? Infinity : points);
const titled = ({name, middle, middles = [middle]}, size) => ({lines: broken(name), middles, size});

/** The genres of a cluster with their shares, in place of its name. */
function genres({genres: all}) {
  const lines = all.filter(({share}) => share >= LEAST).slice(0, MOST).map(({name, share}) => `${name} ${Math.round(100 * share)} %`);
  return lines.length ? {lines, light: true} : {};
}

/** The labels with how many of their points are in sight; where no middle is, the label moves to those that are. */
function inSight(all, places, box) {
  const counted = all.map(label => ({...label, ...seen(label.members, places, box)}));
  const least = FEW * counted.reduce((sum, {seen: points}) => sum + points, 0);
  return counted.map(label => {
    const middles = label.middles.filter(middle => inside(middle, box));
    return {...label, middles: middles.length || label.seen <= least ? middles : [label.centre]};
  });
}

function seen(runs, places, {left, right, top, bottom}) {
  let points = 0, across = 0, down = 0;
  for (const {first, end} of runs) {
    for (let at = 2 * first; at < 2 * end; at += 2) {
      const x = places[at], y = places[at + 1];
      if (x < left || x > right || y < top || y > bottom) continue;
      points += 1;
      across += x;
      down += y;
    }
  }
  return {seen: points, centre: [across / points, down / points]};
}

const inside = ([x, y], {left, right, top, bottom}) => x >= left && x <= right && y >= top && y <= bottom;

/** A name in lines of about the same length. */
function broken(name) {
  const number = Math.ceil(name.length / WIDEST), lines = Array.from({length: number}, () => []);
  let start = 0;
  for (const word of name.split(" ")) {
    lines[Math.floor((start + word.length / 2) / name.length * number)].push(word);
    start += word.length + 1;
  }
  return lines.map(words => words.join(" ")).filter(Boolean);
}
