import assert from "node:assert/strict";
import { test } from "node:test";
import type { TarEntry } from "./entry.ts";
import { TarParser } from "./parser.ts";
import { tarEnd, tarHeader, tarPadding } from "./writer.ts";

const plain: TarEntry = {
  type: "file",
  name: "a",
  linkName: "",
  mode: 0o4755,
  uid: 1,
  gid: 2,
  size: 0,
  mtime: { seconds: 1_700_000_000, nanoseconds: 0 },
  major: 0,
  minor: 0,
  xattrs: [],
  sparse: false,
};

function roundTrip(entry: TarEntry, data = Buffer.alloc(0)): { entry: TarEntry | undefined; data: Buffer } {
  let read: TarEntry | undefined;
  const pieces: Buffer[] = [];
  const parser = new TarParser({
    entry: (found) => {
      read = found;
    },
    data: (bytes) => pieces.push(Buffer.from(bytes)),
    end: () => {},
  });
  parser.push(Buffer.concat([tarHeader(entry), data, Buffer.alloc(tarPadding(data.length)), tarEnd]));
  parser.finish();
  return { entry: read, data: Buffer.concat(pieces) };
}

const deep = `${"directory/".repeat(14)}file`;
const cases: readonly (readonly [string, Partial<TarEntry>])[] = [
  ["a plain file", {}],
  ["a name in two fields", { name: deep }],
  ["a name that fits no field", { name: "x".repeat(300) }],
  ["a name of bytes", { name: "\xff\xfe/ü" }],
  ["a long link", { type: "symlink", linkName: "y".repeat(200) }],
  ["a hard link", { type: "hardlink", linkName: "b" }],
  ["a directory", { type: "directory", name: "d/" }],
  ["a long directory", { type: "directory", name: `${"d".repeat(120)}/` }],
  ["a device", { type: "character", major: 10, minor: 200 }],
  ["large owners", { uid: 4_000_000_000, gid: 3_000_000 }],
  ["the time before time", { mtime: { seconds: -5, nanoseconds: 0 } }],
  [
    "attributes",
    {
      xattrs: [
        ["security.capability", Buffer.from([1, 0, 2, 255])],
        ["user.x", Buffer.from("=\n")],
      ],
    },
  ],
];
for (const [what, change] of cases) {
  test(`${what} is read as it was written`, () => {
    const entry = { ...plain, ...change };
    assert.deepEqual(roundTrip(entry).entry, entry);
  });
}

test("data is padded to blocks", () => {
  const data = Buffer.from("x".repeat(1000));
  assert.equal(roundTrip({ ...plain, size: data.length }, data).data.toString(), data.toString());
  assert.deepEqual([0, 1, 511, 512, 513].map(tarPadding), [0, 511, 1, 0, 511]);
});

test("more than eight gibibytes", () => {
  const header = tarHeader({ ...plain, size: 2 ** 34 });
  assert.match(header.toString("latin1"), / size=17179869184\n/);
});
