import { parseIpv4, printIpv4 } from "./v4.ts";

/** An IPv6 address as a 128-bit number; undefined when `text` is none or has a zone ("%eth0"). RFC 4291, section 2.2. */
export function parseIpv6(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head = "", tail] = halves;
  const before = groups(head, tail === undefined);
  const after = tail === undefined ? [] : groups(tail, true);
  if (before === undefined || after === undefined) return undefined;
  const missing = 8 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const all = [...before, ...new Array<number>(missing).fill(0), ...after];
  return all.reduce((value, group) => (value << 16n) | BigInt(group), 0n);
}

/** The 16-bit groups of one side of "::". Only the end of an address may be written as an IPv4 one. */
function groups(text: string, isEnd: boolean): number[] | undefined {
  if (text === "") return [];
  const result: number[] = [];
  const words = text.split(":");
  for (const [index, word] of words.entries()) {
    if (isEnd && index === words.length - 1 && word.includes(".")) {
      const embedded = parseIpv4(word);
      if (embedded === undefined) return undefined;
      result.push(embedded >>> 16, embedded & 0xffff);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(word)) {
      result.push(Number.parseInt(word, 16));
    } else return undefined;
  }
  return result;
}

const mapped = 0xffffn;

/** The form of RFC 5952: lower case, the longest run of zero groups as "::". */
export function printIpv6(value: bigint): string {
  if (value >> 32n === mapped) return `::ffff:${printIpv4(Number(value & 0xffffffffn))}`;
  const words = Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(112 - 16 * i)) & 0xffffn));
  const { at, length } = longestRun(words);
  const hex = words.map((word) => word.toString(16));
  if (length < 2) return hex.join(":");
  return `${hex.slice(0, at).join(":")}::${hex.slice(at + length).join(":")}`;
}

/** Where the first of the longest runs of zeros is. */
function longestRun(words: readonly number[]): { at: number; length: number } {
  let best = { at: 0, length: 0 };
  let length = 0;
  for (const [index, word] of words.entries()) {
    length = word === 0 ? length + 1 : 0;
    if (length > best.length) best = { at: index - length + 1, length };
  }
  return best;
}
