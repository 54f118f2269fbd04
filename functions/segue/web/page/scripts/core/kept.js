/** What this browser keeps of the last searches; where it keeps nothing, there are none. */

const NAME = "segue.recent";
const MOST = 6;

/** What was chosen last, newest first: seeds with a name and a note. */
export function recent() {
  try {
    const kept = JSON.parse(localStorage.getItem(NAME) ?? "[]");
    return kept.filter(one => [one.kind, one.key, one.name].every(part => typeof part === "string")).slice(0, MOST);
  } catch {
    return [];
  }
}

/** Keep a choice. */
export function keep({kind, key, name, note = ""}) {
  const others = recent().filter(one => one.kind !== kind || one.key !== key);
  store([{kind, key, name, note}, ...others].slice(0, MOST));
}

/** Forget all choices. */
export const forget = () => store([]);

function store(choices) {
  try {
    localStorage.setItem(NAME, JSON.stringify(choices));
  } catch {
    // a private window may keep nothing
  }
}
