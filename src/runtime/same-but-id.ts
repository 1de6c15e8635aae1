interface Ids {
  readonly known: string;
  readonly wanted: string;
}

/** Digits of an id that are never in a text by chance. */
const shortest = 12;

/**
 * Whether two values are alike once every id (or beginning of it, twelve digits at least) of `known` is replaced by as
 * many digits of the other's. Plain data only: functions are alike when they are the same.
 */
export function sameButId(known: unknown, wanted: unknown, ids: Ids): boolean {
  if (known === wanted) return true;
  if (typeof known === "string") return typeof wanted === "string" && sameText(known, wanted, ids);
  if (typeof known !== "object" || typeof wanted !== "object" || known === null || wanted === null) return false;
  if (known instanceof Uint8Array) return wanted instanceof Uint8Array && Buffer.compare(known, wanted) === 0;
  if (Array.isArray(known)) {
    if (!Array.isArray(wanted) || known.length !== wanted.length) return false;
    return known.every((value, index) => sameButId(value, wanted[index], ids));
  }
  return sameFields(known as Record<string, unknown>, wanted as Record<string, unknown>, ids);
}

function sameFields(known: Record<string, unknown>, wanted: Record<string, unknown>, ids: Ids): boolean {
  const names = Object.keys(known);
  if (names.length !== Object.keys(wanted).length) return false;
  for (const name of names) {
    if (!(name in wanted) || !sameButId(known[name], wanted[name], ids)) return false;
  }
  return true;
}

function sameText(known: string, wanted: string, ids: Ids): boolean {
  if (known.length !== wanted.length) return false;
  const beginning = ids.known.slice(0, shortest);
  for (let from = 0; ; ) {
    const at = known.indexOf(beginning, from);
    if (at < 0) return known.slice(from) === wanted.slice(from);
    let length = shortest;
    while (length < ids.known.length && known[at + length] === ids.known[length]) length++;
    if (known.slice(from, at) !== wanted.slice(from, at)) return false;
    if (!wanted.startsWith(ids.wanted.slice(0, length), at)) return false;
    from = at + length;
  }
}
