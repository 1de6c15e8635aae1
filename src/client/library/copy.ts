import { buffer } from "node:stream/consumers";
import { SampanError } from "../../errors/index.ts";
import { readTar } from "../../storage/tar/read.ts";
import { tarEnd, tarHeader, tarPadding } from "../../storage/tar/writer.ts";
import type { Input } from "./streams.ts";

interface FileAttributes {
  readonly mode?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}

/** A tar archive of one file. */
export async function* fileArchive(
  name: string,
  content: Input,
  { mode = 0o644, uid = 0, gid = 0 }: FileAttributes,
): AsyncGenerator<Uint8Array> {
  // Its header says how long the file is: all of it has to be here before the first byte can be sent.
  const data = await buffer(bytesOf(content));
  const now = { seconds: Math.floor(Date.now() / 1000), nanoseconds: 0 };
  yield tarHeader({
    ...{ type: "file", name: Buffer.from(name).toString("latin1"), linkName: "", mode, uid, gid, size: data.length },
    ...{ mtime: now, major: 0, minor: 0, xattrs: [], sparse: false },
  });
  yield data;
  yield Buffer.concat([Buffer.alloc(tarPadding(data.length)), tarEnd]);
}

/** Input of any kind as bytes. */
export async function* bytesOf(input: Input): AsyncGenerator<Uint8Array> {
  const chunks = typeof input === "string" || input instanceof Uint8Array ? [input] : input;
  for await (const chunk of chunks) yield typeof chunk === "string" ? Buffer.from(chunk) : chunk;
}

/** The content of the only file in an archive. Throws invalid when it is a directory's. */
export async function readOneFile(tar: AsyncIterable<Uint8Array>, path: string): Promise<Uint8Array> {
  let content: Buffer | undefined;
  await readTar(tar, {
    entry: ({ type, size }) => {
      if (type !== "file") throw new SampanError("invalid", `Cannot read ${path}: it is a ${type}, not a file`);
      content ??= Buffer.alloc(size);
    },
    data: (bytes, offset) => void content?.set(bytes, offset),
    end: () => {},
  });
  return content ?? new Uint8Array();
}
