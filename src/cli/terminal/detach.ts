import { Transform } from "node:stream";
import { invalid } from "../errors.ts";

/** Docker's sequence for leaving a terminal without ending the container. */
const usualKeys = "ctrl-p,ctrl-q";

/** The bytes of a key sequence such as `ctrl-p,ctrl-q` or `a,ctrl-[`. */
export function parseDetachKeys(text: string = usualKeys): Uint8Array {
  const bytes = text.split(",").map((key) => {
    if (key.length === 1) return key.charCodeAt(0);
    const control = /^ctrl-([a-zA-Z@[\\\]^_])$/.exec(key)?.[1];
    if (control === undefined) throw invalid(`invalid detach keys (${text}): unknown character: '${key}'`);
    return control.toUpperCase().charCodeAt(0) & 0x1f;
  });
  return Uint8Array.from(bytes);
}

/**
 * Passes keyboard input on until the detach sequence comes; then ends and calls back. What may be the start of the
 * sequence is held back until the next key tells.
 */
export class DetachFilter extends Transform {
  readonly #keys: Uint8Array;
  readonly #onDetach: () => void;
  #matched = 0;

  constructor(keys: Uint8Array, onDetach: () => void) {
    super();
    this.#keys = keys;
    this.#onDetach = onDetach;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const passed: number[] = [];
    for (const byte of chunk) {
      if (byte !== this.#keys[this.#matched] && this.#matched > 0) {
        passed.push(...this.#keys.subarray(0, this.#matched));
        this.#matched = 0;
      }
      if (byte === this.#keys[this.#matched]) this.#matched++;
      else passed.push(byte);
      if (this.#matched === this.#keys.length) {
        this.push(Buffer.from(passed));
        this.#onDetach();
        this.push(null);
        return;
      }
    }
    if (passed.length > 0) this.push(Buffer.from(passed));
    done();
  }

  override _flush(done: () => void): void {
    if (this.#matched > 0) this.push(Buffer.from(this.#keys.subarray(0, this.#matched)));
    done();
  }
}
