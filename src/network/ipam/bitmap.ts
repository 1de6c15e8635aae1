const wordBits = 32;
const chunkWords = 32;
const chunkBits = wordBits * chunkWords;

interface Chunk {
  readonly words: Uint32Array;
  count: number;
}

/**
 * A set of numbers from 0 to 2^53, in pieces of 1,024 that exist while something is in them: as small as a list for the
 * few addresses of a /64, as fast as one bitmap for a full /16.
 */
export class Bitmap {
  readonly #chunks = new Map<number, Chunk>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(n: number): boolean {
    const words = this.#chunks.get(Math.floor(n / chunkBits))?.words;
    return words !== undefined && ((wordOf(words, n) >>> (n % wordBits)) & 1) === 1;
  }

  /** False when it was there already. */
  add(n: number): boolean {
    const key = Math.floor(n / chunkBits);
    const chunk = this.#chunks.get(key) ?? { words: new Uint32Array(chunkWords), count: 0 };
    this.#chunks.set(key, chunk);
    const before = wordOf(chunk.words, n);
    const after = (before | (1 << (n % wordBits))) >>> 0;
    if (before === after) return false;
    chunk.words[indexOf(n)] = after;
    chunk.count++;
    this.#size++;
    return true;
  }

  /** False when it was not there. */
  delete(n: number): boolean {
    if (!this.has(n)) return false;
    const key = Math.floor(n / chunkBits);
    const chunk = this.#chunks.get(key);
    if (!chunk) return false;
    chunk.words[indexOf(n)] = (wordOf(chunk.words, n) & ~(1 << (n % wordBits))) >>> 0;
    this.#size--;
    if (--chunk.count === 0) this.#chunks.delete(key);
    return true;
  }

  /** The lowest number from `first` to `last` that is not in the set. */
  lowestFree(first: number, last: number): number | undefined {
    for (let n = first; n <= last; ) {
      const chunk = this.#chunks.get(Math.floor(n / chunkBits));
      if (!chunk) return n;
      if (chunk.count === chunkBits) n += chunkBits - (n % chunkBits);
      else {
        const free = ~(wordOf(chunk.words, n) | (2 ** (n % wordBits) - 1));
        if (free !== 0) {
          const found = n - (n % wordBits) + lowestBit(free);
          return found <= last ? found : undefined;
        }
        n += wordBits - (n % wordBits);
      }
    }
    return undefined;
  }

  /** How many there are from `first` to `last`. */
  countBetween(first: number, last: number): number {
    let count = 0;
    for (const [key, { words, count: all }] of this.#chunks) {
      const start = key * chunkBits;
      if (start > last || start + chunkBits <= first) continue;
      if (start >= first && start + chunkBits - 1 <= last) count += all;
      else {
        for (let n = Math.max(first, start); n <= Math.min(last, start + chunkBits - 1); n++) {
          count += (wordOf(words, n) >>> (n % wordBits)) & 1;
        }
      }
    }
    return count;
  }
}

function indexOf(n: number): number {
  return Math.floor((n % chunkBits) / wordBits);
}

function wordOf(words: Uint32Array, n: number): number {
  return words[indexOf(n)] ?? 0;
}

/** Index of the lowest bit that is set. */
function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}
