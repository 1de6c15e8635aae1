/**
 * The standard streams of this process. Node makes each when it is first asked for, which takes a millisecond or two: a
 * command pays for those it uses.
 */
const used: { stdout?: NodeJS.WriteStream; stderr?: NodeJS.WriteStream } = {};

export const standard = {
  get stdin(): NodeJS.ReadStream {
    return process.stdin;
  },
  get stdout(): NodeJS.WriteStream {
    used.stdout ??= process.stdout;
    return used.stdout;
  },
  get stderr(): NodeJS.WriteStream {
    used.stderr ??= process.stderr;
    return used.stderr;
  },
};

/** Resolves when what was written has left the process: exit drops what a slow pipe has not taken yet. */
export async function flushed(): Promise<void> {
  const streams = [used.stdout, used.stderr].filter((stream) => stream !== undefined && stream.writableLength > 0);
  await Promise.all(streams.map((stream) => new Promise((resolve) => stream?.write("", resolve))));
}
