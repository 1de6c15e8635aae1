import { randomInt } from "node:crypto";

/** Numbers of links are 31 bits; the kernel's own count starts at 1 and stays far below these. */
const first = 0x10_0000;
const beyond = 0x200_0000;

/**
 * Numbers for new links, so that messages about them can be encoded before they are made. They begin at random: links of an
 * earlier life of the daemon have others.
 */
export class Indexes {
  #next = randomInt(first / 2, beyond / 2) * 2;

  /** One for the machine's end, and one for the container's: as the kernel gives them to a pair of links. */
  next(): { readonly index: number; readonly containerIndex: number } {
    const containerIndex = this.#next;
    this.#next = containerIndex + 2 < beyond ? containerIndex + 2 : first;
    return { index: containerIndex + 1, containerIndex };
  }
}
