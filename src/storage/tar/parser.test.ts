import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  gnuLong,
  padded,
  paxHeader,
  paxRecords,
  repairChecksums,
  type TarMember,
  tarArchive,
  tarMember,
} from "../../../test/support/tar.ts";
import { kindOf } from "../../errors/index.ts";
import type { TarEntry } from "./entry.ts";
import { TarParser } from "./parser.ts";

interface Member extends TarEntry {
  /** The data as [offset, text]. */
  readonly data: readonly (readonly [offset: number, text: string])[];
}

/** What a parser makes of an archive that comes in pieces of `size` bytes; neighbouring data is joined. */
function parse(archive: Buffer, size = archive.length): Member[] {
  const members: (TarEntry & { data: [number, string][]; ended: boolean })[] = [];
  const parser = new TarParser({
    entry(entry) {
      assert.ok(members.at(-1)?.ended !== false, "an entry before the end of the last");
      members.push({ ...entry, data: [], ended: false });
    },
    data(bytes, offset) {
      const data = members.at(-1)?.data ?? [];
      const last = data.at(-1);
      if (last && last[0] + last[1].length === offset) last[1] += bytes.toString("latin1");
      else data.push([offset, bytes.toString("latin1")]);
    },
    end() {
      const last = members.at(-1);
      if (last) last.ended = true;
    },
  });
  for (let at = 0; at < archive.length; at += Math.max(1, size)) parser.push(archive.subarray(at, at + size));
  parser.finish();
  return members.map(({ ended, ...member }) => {
    assert.ok(ended, "an entry without an end");
    return member;
  });
}

/** Parsed in several ways, which must not differ. */
function only(...parts: (TarMember | Buffer)[]): Member {
  const archive = tarArchive(...parts);
  const members = parse(archive);
  for (const size of [1, 7, 511, 512, 513, 1000, 4096]) assert.deepEqual(parse(archive, size), members, `by ${size}`);
  assert.equal(members.length, 1);
  return members[0] as Member;
}

function refuses(archive: Buffer, message: RegExp): void {
  for (const size of [archive.length, 512, 100]) {
    assert.throws(
      () => parse(archive, size),
      (error: Error) => {
        assert.match(error.message, message);
        assert.equal(kindOf(error), "invalid");
        return true;
      },
    );
  }
}

describe("formats", () => {
  test("a ustar file with everything", () => {
    const { data, ...entry } = only({
      name: "file",
      data: "hello",
      mode: 0o4755,
      uid: 1000,
      gid: 100,
      mtime: 1_234_567_890,
    });
    assert.deepEqual(data, [[0, "hello"]]);
    assert.deepEqual(entry, {
      type: "file",
      name: "file",
      linkName: "",
      mode: 0o4755,
      uid: 1000,
      gid: 100,
      size: 5,
      mtime: { seconds: 1_234_567_890, nanoseconds: 0 },
      major: 0,
      minor: 0,
      xattrs: [],
      sparse: false,
    });
  });

  test("every type of entry", () => {
    const archive = tarArchive(
      { name: "a/" },
      { name: "b", type: "1", link: "c", size: 77 },
      { name: "d", type: "2", link: "../e" },
      { name: "f", type: "3", major: 1, minor: 3 },
      { name: "g", type: "4", major: 8, minor: 1 },
      { name: "h", type: "6" },
      { name: "i", type: "7", data: "x" },
      { name: "j", type: "\0", data: "y" },
      { name: "label", type: "V" },
      { name: "k/", type: "0", dialect: "v7" },
    );
    assert.deepEqual(
      parse(archive).map(({ type, name, linkName, major, minor }) => [type, name, linkName, major, minor]),
      [
        ["directory", "a/", "", 0, 0],
        ["hardlink", "b", "c", 0, 0],
        ["symlink", "d", "../e", 0, 0],
        ["character", "f", "", 1, 3],
        ["block", "g", "", 8, 1],
        ["fifo", "h", "", 0, 0],
        ["file", "i", "", 0, 0],
        ["file", "j", "", 0, 0],
        ["directory", "k/", "", 0, 0],
      ],
    );
  });

  test("a ustar prefix; none in GNU headers; a shorter one in star's", () => {
    assert.equal(only({ name: "name", prefix: "some/where" }).name, "some/where/name");
    assert.equal(only({ name: "name", prefix: "12345", dialect: "gnu" }).name, "name");
    const long = `${"p".repeat(130)}/`;
    assert.equal(only({ name: "n", prefix: `${long}times`, dialect: "star" }).name, `${long}/n`);
  });

  test("GNU long names and link targets, and names that are not UTF-8", () => {
    const name = "n".repeat(3000);
    const link = "l".repeat(513);
    const entry = only(gnuLong("L", name), gnuLong("K", link), { name: "cut", type: "2", link: "cut", dialect: "gnu" });
    assert.equal(entry.name, name);
    assert.equal(entry.linkName, link);
    assert.equal(only({ name: Buffer.from([0xe9, 0xff]) }).name, "\xe9\xff");
  });

  test("base-256 numbers, negative ones too", () => {
    const entry = only({ name: "a", uid: 3_000_000_000, gid: 2 ** 22, mtime: -5, dialect: "gnu" });
    assert.deepEqual([entry.uid, entry.gid, entry.mtime.seconds], [3_000_000_000, 2 ** 22, -5]);
  });

  test("PAX: path, linkpath, owner, size, time, attributes", () => {
    const path = `${"é/".repeat(300)}end`;
    const pax = paxHeader({
      path,
      uid: "4000000000",
      gid: "7",
      size: "3",
      mtime: "1700000000.123456789987",
      "SCHILY.xattr.user.a=b": "no",
      "SCHILY.xattr.security.capability": Buffer.from([1, 0, 10, 255]),
      comment: "ignored",
    });
    const entry = only(pax, { name: "short", data: "abc", size: 3 });
    assert.equal(entry.name, Buffer.from(path).toString("latin1"));
    assert.deepEqual([entry.uid, entry.gid, entry.size], [4_000_000_000, 7, 3]);
    assert.deepEqual(entry.mtime, { seconds: 1_700_000_000, nanoseconds: 123_456_789 });
    assert.deepEqual(entry.xattrs, [
      ["user.a", Buffer.from("b=no")],
      ["security.capability", Buffer.from([1, 0, 10, 255])],
    ]);
    assert.equal(only(paxHeader({ linkpath: "x".repeat(200) }), { name: "l", type: "2" }).linkName, "x".repeat(200));
  });

  test("PAX times before the epoch are rounded down", () => {
    const timeOf = (mtime: string) => only(paxHeader({ mtime }), { name: "a" }).mtime;
    assert.deepEqual(timeOf("-1.25"), { seconds: -2, nanoseconds: 750_000_000 });
    assert.deepEqual(timeOf("-3"), { seconds: -3, nanoseconds: 0 });
    assert.deepEqual(timeOf("5."), { seconds: 5, nanoseconds: 0 });
  });

  test("global PAX records hold until they are taken back", () => {
    const members = parse(
      tarArchive(
        paxHeader({ uid: "5", gid: "6" }, "g"),
        { name: "a" },
        paxHeader({ uid: "9" }),
        { name: "b" },
        { name: "c" },
        paxHeader({ uid: "" }, "g"),
        { name: "d", uid: 1 },
      ),
    );
    assert.deepEqual(
      members.map(({ uid, gid }) => [uid, gid]),
      [
        [5, 6],
        [9, 6],
        [5, 6],
        [1, 6],
      ],
    );
  });

  test("a checksum of signed bytes", () => {
    assert.equal(only({ name: Buffer.from([0xe4]), signedChecksum: true }).name, "\xe4");
  });

  test("junk after the end is passed over; an end mark is not needed", () => {
    assert.equal(parse(Buffer.concat([tarArchive({ name: "a" }), Buffer.alloc(5000, "junk")])).length, 1);
    assert.equal(parse(tarMember({ name: "a", data: "b" })).length, 1);
    assert.equal(parse(Buffer.alloc(0)).length, 0);
  });
});

describe("sparse files", () => {
  const map = (block: Buffer, at: number, regions: readonly (readonly [number, number])[]) => {
    for (const [index, [offset, size]] of regions.entries()) {
      block.write(offset.toString(8).padStart(11, "0"), at + index * 24, "latin1");
      block.write(size.toString(8).padStart(11, "0"), at + index * 24 + 12, "latin1");
    }
  };
  const old = (regions: readonly (readonly [number, number])[], data: string, size: number, extended?: Buffer) =>
    Buffer.concat([
      tarMember({
        name: "sparse",
        type: "S",
        dialect: "gnu",
        size: data.length,
        patch: (block) => {
          map(block, 386, regions);
          if (extended) block[482] = 1;
          block.write(size.toString(8).padStart(11, "0"), 483, "latin1");
        },
      }),
      extended ?? Buffer.alloc(0),
      padded(Buffer.from(data)),
    ]);
  const expected = [
    [1000, "abc"],
    [5000, "defg"],
  ];
  const regions = [
    [1000, 3],
    [5000, 4],
  ] as const;

  test("old GNU", () => {
    const entry = only(old(regions, "abcdefg", 9000));
    assert.deepEqual([entry.size, entry.sparse, entry.data], [9000, true, expected]);
  });

  test("old GNU with the map going on in blocks of its own", () => {
    const many = Array.from({ length: 30 }, (_, index) => [index * 1000, 1] as const);
    const blocks = Buffer.alloc(1024);
    map(blocks, 0, many.slice(4, 25));
    blocks[504] = 1;
    map(blocks, 512, many.slice(25));
    const data = "abcdefghijklmnopqrstuvwxyz0123";
    const entry = only(old(many.slice(0, 4), data, 100_000, blocks));
    assert.deepEqual(
      entry.data,
      many.map(([offset], index) => [offset, data[index]]),
    );
  });

  test("PAX 0.0, whose keywords repeat", () => {
    const records = [
      ["GNU.sparse.size", "9000"],
      ["GNU.sparse.numblocks", "2"],
      ...regions.flatMap(([offset, size]) => [
        ["GNU.sparse.offset", String(offset)] as const,
        ["GNU.sparse.numbytes", String(size)] as const,
      ]),
    ] as const;
    const pax = tarMember({ name: "pax", type: "x", data: paxRecords(records) });
    const entry = only(pax, { name: "sparse", data: "abcdefg" });
    assert.deepEqual([entry.size, entry.data], [9000, expected]);
  });

  test("PAX 0.1", () => {
    const pax = paxHeader({ "GNU.sparse.size": "9000", "GNU.sparse.map": "1000,3,5000,4", "GNU.sparse.name": "real" });
    const entry = only(pax, { name: "GNUSparseFile.1/real", data: "abcdefg" });
    assert.deepEqual([entry.name, entry.size, entry.data], ["real", 9000, expected]);
  });

  test("PAX 1.0, also with a map of many blocks", () => {
    const header = { "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "real" };
    const short = Buffer.concat([padded(Buffer.from("2\n1000\n3\n5000\n4\n")), Buffer.from("abcdefg")]);
    const entry = only(paxHeader({ ...header, "GNU.sparse.realsize": "9000" }), { name: "x", data: short });
    assert.deepEqual([entry.name, entry.size, entry.data], ["real", 9000, expected]);
    const count = 500;
    const lines = Array.from({ length: count }, (_, index) => `${index * 4096}\n1\n`).join("");
    const long = Buffer.concat([padded(Buffer.from(`${count}\n${lines}`)), Buffer.alloc(count, "z")]);
    const big = only(paxHeader({ ...header, "GNU.sparse.realsize": "9000000" }), { name: "x", data: long });
    assert.equal(big.data.length, count);
  });

  test("a file that is one hole", () => {
    const entry = only(paxHeader({ "GNU.sparse.size": "4096", "GNU.sparse.map": "" }), { name: "hole" });
    assert.deepEqual([entry.size, entry.sparse, entry.data], [4096, true, []]);
  });

  test("maps that cannot be", () => {
    const with01 = (map: string, size = "9000") =>
      tarArchive(paxHeader({ "GNU.sparse.size": size, "GNU.sparse.map": map }), { name: "a", data: "abcdefg" });
    refuses(with01("1000,3,5000"), /ends in the middle/);
    refuses(with01("1000,3,5000,5"), /does not match the data/);
    refuses(with01("1000,3,1001,4"), /overlap/);
    refuses(with01("1000,3,8999,4"), /leave the file/);
    refuses(with01("1000,3,-1,4"), /no number/);
    refuses(with01("0,7", "99999999999999999"), /impossible size/);
    refuses(tarArchive(old([[0, 8]], "abcdefg", 9000)), /does not match/);
    const version1 = { "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9" };
    for (const data of ["x".repeat(512), padded(Buffer.from("9999999999\n")), padded(Buffer.from("3\n1\n1\n"))]) {
      refuses(tarArchive(paxHeader(version1), { name: "a", data }), /sparse map/);
    }
  });
});

describe("malformed archives", () => {
  test("a wrong checksum", () => {
    refuses(tarArchive({ name: "a", wrongChecksum: true }), /wrong checksum \(at byte 0\)/);
    refuses(Buffer.alloc(1024, "not a tar"), /wrong checksum/);
  });

  test("truncated anywhere but between entries", () => {
    const archive = tarArchive(paxHeader({ path: "long" }), { name: "a", data: "x".repeat(700) });
    for (const size of [1, 511, 512, 600, 1024, 1025, 1536, 1537, 2000, 2500]) {
      refuses(archive.subarray(0, size), /ends in the middle of an entry/);
    }
  });

  test("numbers that are none, or too large", () => {
    const patched = (at: number, text: string) =>
      tarArchive({ name: "a", patch: (block) => void block.write(text, at, "latin1") });
    refuses(patched(100, "8888888"), /mode/);
    refuses(patched(108, "12x4567"), /owner/);
    refuses(patched(124, "zzzzzzzzzzz"), /size/);
    refuses(patched(136, "1 2 3 4 5 6"), /time/);
    refuses(tarArchive({ name: "a", size: -1, dialect: "gnu" }), /impossible size/);
    refuses(tarArchive({ name: "a", size: 2 ** 50, dialect: "gnu" }), /impossible size/);
    refuses(tarArchive({ name: "a", uid: -2, dialect: "gnu" }), /owner/);
    refuses(tarArchive(paxHeader({ size: "12x" }), { name: "a" }), /size/);
    refuses(tarArchive(paxHeader({ uid: "4294967295" }), { name: "a" }), /owner/);
    refuses(tarArchive(paxHeader({ mtime: "soon" }), { name: "a" }), /time/);
  });

  test("names with a NUL, empty names, links without a target", () => {
    refuses(tarArchive(paxHeader({ path: "a\0b" }), { name: "a" }), /NUL/);
    refuses(tarArchive(paxHeader({ linkpath: "a\0b" }), { name: "a", type: "2" }), /NUL/);
    refuses(tarArchive({ name: "" }), /without a name/);
    refuses(tarArchive({ name: "a", type: "2" }), /without a target/);
  });

  test("types nobody knows", () => {
    refuses(tarArchive({ name: "a", type: "Z" }), /unknown type "Z"/);
    refuses(tarArchive({ name: "a", type: "M" }), /unknown type/);
  });

  test("extended headers that are broken or huge", () => {
    for (const data of ["x", "12 a", "5 a=b\n", "999 path=a\n", "10 path=ab", "9 =value\n", "-5 a=b\n", "7 abcd\n"]) {
      refuses(tarArchive({ name: "p", type: "x", data }, { name: "a" }), /extended header/);
    }
    refuses(tarArchive({ name: "p", type: "x", size: 2 ** 21 }), /extended header of 2097152 bytes/);
    refuses(tarArchive({ name: "p", type: "L", size: 2 ** 30 }), /extended header/);
    refuses(tarArchive(paxHeader({ path: "orphan" })), /ends in the middle|end mark/);
  });

  test("an entry after half of an end mark", () => {
    refuses(Buffer.concat([Buffer.alloc(512), tarMember({ name: "a" })]), /after the end mark/);
  });
});

test("random damage is refused or read, never a crash or a hang", () => {
  const archive = tarArchive(
    paxHeader({ path: "p".repeat(150), "SCHILY.xattr.user.x": "y", mtime: "1.5" }),
    { name: "a", data: "x".repeat(1300), uid: 3 },
    gnuLong("L", "long".repeat(60)),
    { name: "b", type: "2", link: "a", dialect: "gnu" },
    paxHeader({ "GNU.sparse.size": "9000", "GNU.sparse.map": "1000,3,5000,4" }),
    { name: "c", data: "abcdefg" },
  );
  let seed = 7;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  for (let round = 0; round < 2000; round++) {
    const damaged = Buffer.from(archive);
    for (let count = random(20) + 1; count > 0; count--) damaged[random(damaged.length)] = random(256);
    // Most damage is found by the checksum, so half of the rounds repair it.
    if (round % 2 === 0) repairChecksums(damaged);
    try {
      parse(round % 5 === 0 ? damaged.subarray(0, random(damaged.length)) : damaged, random(700) + 1);
    } catch (error) {
      assert.equal(kindOf(error), "invalid", String(error));
    }
  }
});
