import { SampanError } from "../../errors/index.ts";

const usual = "ctrl-p,ctrl-q";

/** Control characters by Docker's names: ctrl-a to ctrl-z, and ctrl-@ [ \ ] ^ _ . */
function controlByte(key: string): number | undefined {
  const [, character = ""] = /^ctrl-([a-z@[\\\]^_])$/.exec(key) ?? [];
  return character === "" ? undefined : character.toUpperCase().charCodeAt(0) - 64;
}

/** The bytes that mean "let go of the container". "" and absent are the usual ones. Throws `invalid` with dockerd's text. */
export function parseDetachKeys(text: string | undefined): Uint8Array {
  const keys = (text || usual).split(",");
  const bytes = keys.map((key) => {
    const byte = key.length === 1 ? key.charCodeAt(0) : controlByte(key);
    if (byte !== undefined && byte < 256) return byte;
    throw new SampanError("invalid", `Invalid detach keys (${text}) provided: Unknown character: '${key}'`);
  });
  return Uint8Array.from(bytes);
}

/** Looks for the detach keys in what a client types. What may be the beginning of them is held back until it is not. */
export class DetachScanner {
  readonly #keys: Uint8Array;
  #matched = 0;

  constructor(keys: Uint8Array) {
    this.#keys = keys;
  }

  /** What is to be passed on, and whether the keys were complete; what comes after them is lost. */
  scan(input: Uint8Array): { readonly pass: Uint8Array; readonly detached: boolean } {
    const pass: number[] = [];
    for (const byte of input) {
      this.#step(byte, pass);
      if (this.#matched === this.#keys.length) return { pass: Uint8Array.from(pass), detached: true };
    }
    const unchanged = pass.length === input.length && this.#matched === 0;
    return { pass: unchanged ? input : Uint8Array.from(pass), detached: false };
  }

  #step(byte: number, pass: number[]): void {
    if (byte === this.#keys[this.#matched]) {
      this.#matched++;
      return;
    }
    pass.push(...this.#keys.subarray(0, this.#matched));
    this.#matched = byte === this.#keys[0] ? 1 : 0;
    if (this.#matched === 0) pass.push(byte);
  }
}
