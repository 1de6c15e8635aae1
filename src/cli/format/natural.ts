/** The order in which `b9` comes before `b10`: runs of digits count as numbers, everything else by its code points. */
export function compareNaturally(a: string, b: string): number {
  const [left, right] = [pieces(a), pieces(b)];
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const [one = "", other = ""] = [left[at], right[at]];
    if (one === other) continue;
    const numbers = /^\d/.test(one) && /^\d/.test(other) ? Number(one) - Number(other) : 0;
    return numbers === 0 ? (one < other ? -1 : 1) : numbers;
  }
  return left.length - right.length;
}

function pieces(text: string): readonly string[] {
  return text.match(/\d+|\D+/g) ?? [];
}
