/** The most numbers that a list may reach: the kernel is built for 8192 processors at most. */
const last = 8191;

/** "0-2,5" as numbers; undefined when it is not a list of the kernel's (cpuset(7), "List format"). */
export function parseNumberList(text: string): Set<number> | undefined {
  const numbers = new Set<number>();
  for (const part of text.split(",")) {
    const match = /^\s*(\d{1,5})(?:-(\d{1,5}))?\s*$/.exec(part);
    if (match === null) return undefined;
    const [from, to] = [Number(match[1]), Number(match[2] ?? match[1])];
    if (to < from || to > last) return undefined;
    for (let number = from; number <= to; number++) numbers.add(number);
  }
  return numbers;
}

/** One bit for each number, in as many 64-bit words as the largest needs: what sched_setaffinity(2) and set_mempolicy(2) take. */
export function bitMask(numbers: ReadonlySet<number>): Uint8Array {
  const mask = new Uint8Array(8 * (Math.floor(Math.max(0, ...numbers) / 64) + 1));
  for (const number of numbers) mask[number >> 3] = (mask[number >> 3] ?? 0) | (1 << (number & 7));
  return mask;
}
