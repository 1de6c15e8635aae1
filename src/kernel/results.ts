import { type Ref, Slot } from "./block.ts";

/** What a program left in its results region. */
export class Results {
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Value of a variable: a call's result, or -errno where that was tolerated. */
  value(slot: Slot): number {
    const { offset } = slot.address;
    return slot.width === 4 ? this.#bytes.readInt32LE(offset) : Number(this.#bytes.readBigInt64LE(offset));
  }

  /** As `value`, for what does not fit a double. */
  big(slot: Slot | Ref): bigint {
    const ref = slot instanceof Slot ? slot.address : slot;
    return this.#bytes.readBigInt64LE(ref.offset);
  }

  /** The first `length` bytes of a buffer. */
  bytes(ref: Ref, length = ref.size): Buffer {
    return this.#bytes.subarray(ref.offset, ref.offset + Math.max(0, Math.min(length, ref.size)));
  }
}
