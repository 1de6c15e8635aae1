import type { TarEntry, TarHandler } from "./entry.ts";
import { TarParser } from "./parser.ts";

/** As `TarHandler`, but every call may take its time: the next comes when it has resolved. */
export interface TarReader {
  entry(entry: TarEntry): Promise<void> | void;
  /** Valid until it resolves. */
  data(bytes: Buffer, offset: number): Promise<void> | void;
  end(): Promise<void> | void;
}

type Step = (reader: TarReader) => Promise<void> | void;

/** Reads an archive to its end, and no further ahead than what `reader` has done. Kind "invalid": it is malformed. */
export async function readTar(tar: AsyncIterable<Uint8Array>, reader: TarReader): Promise<void> {
  let steps: Step[] = [];
  const collect: TarHandler = {
    entry: (entry) => void steps.push((to) => to.entry(entry)),
    data: (bytes, offset) => void steps.push((to) => to.data(bytes, offset)),
    end: () => void steps.push((to) => to.end()),
  };
  const parser = new TarParser(collect);
  const carryOut = async (): Promise<void> => {
    const due = steps;
    steps = [];
    for (const step of due) await step(reader);
  };
  for await (const chunk of tar) {
    parser.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    await carryOut();
  }
  parser.finish();
  await carryOut();
}
