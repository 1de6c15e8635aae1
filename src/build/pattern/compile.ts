/** A part of a pattern. */
export interface Term {
  /** One character, as a regular expression has it. */
  readonly source: string;
  /** How often: once, as often as it can be, or as all characters up to a slash, and that, or nothing ("directories"). */
  readonly times: "once" | "any" | "directories";
}

/** Up to so many parts that repeat, a regular expression is the fastest; with more, it may try without end. */
const harmless = 2;

/**
 * Whether a whole text matches, in a time that grows with the product of its length and the pattern's at most. A SyntaxError
 * for a character set that is none.
 */
export function compile(terms: readonly Term[]): (text: string) => boolean {
  const whole = new RegExp(`^${terms.map(sourceOf).join("")}$`, "u");
  if (terms.filter(({ times }) => times !== "once").length <= harmless) return (text) => whole.test(text);
  const states = terms.flatMap(statesOf);
  return (text) => runs(states, text);
}

function sourceOf({ source, times }: Term): string {
  if (times === "directories") return "(?:.*/)?";
  return times === "any" ? `${source}*` : source;
}

/** A place in a pattern: what may come there, and which places are then next. */
interface State {
  readonly takes: (character: string) => boolean;
  /** It may come again and again, or not at all. */
  readonly repeats: boolean;
  /** The place so much further on may be next, too, without any character. */
  readonly over: number;
}

function statesOf({ source, times }: Term): State[] {
  if (times === "directories") {
    const none: State = { takes: () => false, repeats: true, over: 3 };
    const all: State = { takes: (character) => !/[\n\r\u2028\u2029]/.test(character), repeats: true, over: 1 };
    return [none, all, { takes: (character) => character === "/", repeats: false, over: 0 }];
  }
  const one = new RegExp(`^${source}$`, "u");
  const repeats = times === "any";
  return [{ takes: (character) => one.test(character), repeats, over: repeats ? 1 : 0 }];
}

/** Goes through a text once, in all places of the pattern at the same time. */
function runs(states: readonly State[], text: string): boolean {
  let here = entered(states, new Set([0]));
  for (const character of text) {
    const next = new Set<number>();
    for (const place of here) {
      const state = states[place];
      if (state?.takes(character)) next.add(state.repeats ? place : place + 1);
    }
    if (next.size === 0) return false;
    here = entered(states, next);
  }
  return here.has(states.length);
}

/** With the places that are reached without a character. A set is gone through to what was added meanwhile. */
function entered(states: readonly State[], places: Set<number>): Set<number> {
  for (const place of places) {
    const state = states[place];
    if (state === undefined || state.over === 0) continue;
    places.add(place + state.over);
    if (state.over > 1) places.add(place + 1);
  }
  return places;
}
