import type { Range } from "../kernel/block.ts";
import { Program } from "../kernel/program.ts";
import * as wire from "../kernel/wire.ts";
import { makeNetworkNamespace, type NetworkNamespace } from "./network-namespace.ts";
import type { ContainerSpec } from "./types.ts";

/** Data of a start program that differs between containers of one kind (`Program.variable`), in the order it is built in. */
export interface Variables {
  /** All of it but the data: programs whose variables are alike in this differ in nothing else. */
  readonly shape: Buffer;
  /** Writes the data into the bytes of a program of the same shape, in which variable n begins at `places[n]`. */
  write(bytes: Buffer, places: readonly number[]): void;
}

/** Where the block's data begins in the bytes of a program. */
export function dataAt(bytes: Buffer): number {
  const steps = bytes.readUInt32LE(wire.header.steps) * wire.step.size;
  return wire.header.size + steps + relocationsSize(bytes);
}

function relocationsSize(bytes: Buffer): number {
  return ((bytes.readUInt32LE(wire.header.relocations) + 1) & ~1) * 4;
}

/** What is not variable in a spec: of the container's own files only how long they are. */
export function withoutVariables({ connect, files, ...spec }: ContainerSpec): unknown {
  const lengths = files?.map((file) => (file.secret ? file : { ...file, text: Buffer.byteLength(file.text) }));
  return { ...spec, connects: connect !== undefined, files: lengths };
}

/** The variables of `startProgram` for this container, built without the rest of it. */
export function variablesOf(spec: ContainerSpec, network: NetworkNamespace | undefined): Variables {
  const p = new Program("the variables of a start");
  for (const { text, secret } of spec.files ?? []) if (secret === undefined) p.variable(() => p.text(text));
  if (spec.namespaces.network === "new") {
    const own = network ?? makeNetworkNamespace(p);
    const giveBack = p.variable(() => spec.connect?.(p, own));
    if (giveBack) p.variable(giveBack);
  }
  const bytes = p.encode();
  const data = dataAt(bytes);
  return {
    shape: bytes.subarray(0, data),
    write: (into, places) => {
      const pointers = new Set(pointersOf(bytes));
      for (const [index, range] of p.variables.entries()) {
        copyWords(bytes.subarray(data), range, { into, at: places[index] ?? 0 }, pointers);
      }
    },
  };
}

/** Offsets in the data of the words that are addresses. */
function pointersOf(bytes: Buffer): number[] {
  const from = dataAt(bytes) - relocationsSize(bytes);
  const count = bytes.readUInt32LE(wire.header.relocations);
  return Array.from({ length: count }, (_, index) => bytes.readUInt32LE(from + 4 * index));
}

/** Addresses are left as they are: only in their own program they lead where they should. */
function copyWords(
  data: Buffer,
  { from, to }: Range,
  place: { readonly into: Buffer; readonly at: number },
  pointers: ReadonlySet<number>,
): void {
  for (let at = from; at < to; at += 8) {
    if (!pointers.has(at)) data.copy(place.into, place.at + at - from, at, at + 8);
  }
}
