import { type Entry, tar } from "../../support/images.ts";

/**
 * The image that travels between engines: whatever a layer can hold, the same bytes on every machine, and a program to run,
 * which needs no other file.
 */

const old = new Date(1_000_000_000_000);
const file = (name: string, body = name, rest: Partial<Entry> = {}): Entry => ({ name, body, mtime: old, ...rest });
const directory = (name: string, rest: Partial<Entry> = {}): Entry => ({
  name,
  type: "directory",
  mode: 0o755,
  mtime: old,
  ...rest,
});

/** What `/hello` prints. */
export const greeting = "travelled\n";

/** An ELF file for x86-64 that writes the greeting and ends with status 0: elf(5), write(2), exit(2). */
function hello(): Buffer {
  const message = Buffer.from(greeting);
  const code = Buffer.concat([
    Buffer.from("b801000000bf01000000488d3510000000ba", "hex"), // write(1, what follows the code, …
    Buffer.from([message.length, 0, 0, 0]), // … its length)
    Buffer.from("0f05b83c00000031ff0f05", "hex"), // exit(0)
    message,
  ]);
  const header = Buffer.alloc(120);
  header.write("7f454c46020101", "hex");
  header.writeUInt16LE(2, 16); // ET_EXEC
  header.writeUInt16LE(62, 18); // EM_X86_64
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(0x400078n, 24); // entry: behind the headers
  header.writeBigUInt64LE(64n, 32); // program headers begin
  header.writeUInt16LE(64, 52);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(1, 56);
  header.writeUInt32LE(1, 64); // PT_LOAD
  header.writeUInt32LE(5, 68); // readable, executable
  header.writeBigUInt64LE(0x400000n, 80);
  header.writeBigUInt64LE(0x400000n, 88);
  header.writeBigUInt64LE(BigInt(120 + code.length), 96);
  header.writeBigUInt64LE(BigInt(120 + code.length), 104);
  header.writeBigUInt64LE(0x1000n, 112);
  return Buffer.concat([header, code]);
}

/** `cap_net_bind_service=ep`, as capabilities(7) keeps it in a file's attribute. */
const capability = Buffer.from("0100000200040000000000000000000000000000", "hex").toString("latin1");

/** Uncompressed, bottom first: files of every type, then what hides and replaces them. */
export function travellerLayers(): Promise<Buffer[]> {
  const first: Entry[] = [
    file("hello", "", { body: hello(), mode: 0o755 }),
    directory("dir", { mode: 0o750, uid: 3, gid: 4 }),
    file("dir/file", "content\n", { uid: 1000, gid: 1000, mode: 0o640 }),
    file("dir/suid", "s", { mode: 0o4755 }),
    file("dir/gone"),
    directory("sticky", { mode: 0o1777 }),
    directory("opaque"),
    file("opaque/below"),
    file("replaced"),
    directory("turned"),
    file("turned/below"),
    { name: "link", type: "symlink", linkname: "dir/file", mtime: old },
    { name: "hard", type: "link", linkname: "dir/file", uid: 1000, gid: 1000, mode: 0o640, mtime: old },
    { name: "pipe", type: "fifo", mode: 0o600, mtime: old },
    { name: "null", type: "character-device", devmajor: 1, devminor: 3, mode: 0o666, mtime: old },
    file("able", "able", { mode: 0o755, pax: { "SCHILY.xattr.security.capability": capability } }),
    directory("long"),
    file(`long/${"n".repeat(150)}`),
    directory("ünï"),
    file("ünï/文件"),
    file("empty", ""),
    file("far", "far", { pax: { uid: "3000000", gid: "3000001" } }),
    file("zeros", "\0".repeat(300_000)),
  ];
  const second: Entry[] = [
    directory("dir", { mode: 0o750, uid: 3, gid: 4 }),
    file("dir/.wh.gone", ""),
    directory("opaque"),
    file("opaque/.wh..wh..opq", ""),
    file("opaque/new"),
    directory("replaced"),
    file("replaced/in"),
    file("turned"),
  ];
  return Promise.all([tar(first), tar(second)]);
}

/** What is built on it, with every setting that a configuration has. */
export const dockerfile: readonly string[] = [
  "FROM traveller",
  'LABEL plain=1 "with space"="a b"',
  'ENV A=b C="d e"',
  "WORKDIR /made/here",
  "COPY --chown=7:8 --chmod=640 file /copied",
  "COPY <<E /written",
  "by the Dockerfile",
  "E",
  'RUN ["/hello"]',
  "EXPOSE 80 53/udp",
  "VOLUME /data",
  "STOPSIGNAL SIGINT",
  'HEALTHCHECK --interval=30s --retries=2 CMD ["/hello"]',
  'SHELL ["/hello", "-c"]',
  "ONBUILD COPY x /x",
  "USER 1000:1000",
  'ENTRYPOINT ["/hello"]',
  'CMD ["argument"]',
];

/** The context of that Dockerfile, an archive. */
export function travellerContext(): Promise<Buffer> {
  return tar([file("Dockerfile", `${dockerfile.join("\n")}\n`), file("file", "of the context\n")]);
}
