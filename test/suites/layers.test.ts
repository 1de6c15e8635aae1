import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { kindOf } from "../../src/errors/index.ts";
import { layoutOf } from "../../src/storage/layout.ts";
import { removeTree } from "../../src/storage/unpack/remove-tree.ts";
import { helperBuilds, testExecutor } from "../support/helper.ts";
import { chainId, LayerBench, treeOf } from "../support/layers.ts";
import { leftovers } from "../support/leaks.ts";
import { succeed } from "../support/process.ts";
import { requires, requiresRoot } from "../support/requires.ts";
import {
  gnuLong,
  inPieces,
  paxHeader,
  repairChecksums,
  type TarMember,
  tarArchive,
  tarMember,
} from "../support/tar.ts";

// Before the hook of testExecutor, which removes the directory.
after(async () => {
  assert.deepEqual(treeOf(canary), { "": "755 0:0 directory", secret: "644 0:0 9 bytes" });
  assert.equal(readFileSync(join(canary, "secret"), "utf8"), "untouched");
  assert.deepEqual(
    readdirSync(bench.directory).filter((name) => name.startsWith(".")),
    [],
    "half-made layers",
  );
  await executor.close();
  assert.deepEqual(leftovers({ ...layoutOf(), root: directory, run: directory, suffix: "-layers" }), []);
});

const { executor, directory } = testExecutor();
const bench = new LayerBench(executor, directory);
const { store } = bench;
const root = requiresRoot();
/** Stands for the machine: nothing that any layer says may reach it. */
const canary = join(directory, "canary");
mkdirSync(canary);
writeFileSync(join(canary, "secret"), "untouched");

/** Unpacking `parts` fails with this kind and text, and leaves nothing. */
async function refuses(name: string, parts: readonly (TarMember | Buffer)[], message: RegExp, kind = "invalid") {
  await assert.rejects(bench.apply(name, parts), (error: Error) => {
    assert.match(error.message, message);
    assert.equal(kindOf(error), kind);
    return true;
  });
  assert.equal(store.has(chainId(name)), false);
  assert.deepEqual(
    readdirSync(bench.directory).filter((left) => left.startsWith(".")),
    [],
  );
}

describe("what a layer holds", root, () => {
  test("all kinds of entries, with owners, rights and times", async () => {
    const layer = await bench.apply("kinds", [
      { name: "./", mode: 0o750, uid: 5, gid: 6, mtime: 1000 },
      { name: "etc/", mode: 0o2775, uid: 1, gid: 2, mtime: 2000 },
      { name: "etc/file", data: "hello", mode: 0o640, uid: 3, gid: 4, mtime: 3000 },
      { name: "etc/suid", data: "x", mode: 0o6755, uid: 7, gid: 8, mtime: 3001 },
      { name: "etc/rootsuid", data: "x", mode: 0o4755, mtime: 3002 },
      { name: "tmp/", mode: 0o1777, mtime: 4000 },
      { name: "locked/", mode: 0, mtime: 5000 },
      { name: "locked/in", data: "y", mode: 0, mtime: 5001 },
      { name: "link", type: "2", link: "/no/such/../target", uid: 9, gid: 10, mtime: 6000 },
      { name: "hard", type: "1", link: "etc/file" },
      { name: "null", type: "3", major: 1, minor: 3, mode: 0o666, mtime: 7000 },
      { name: "disk", type: "4", major: 259, minor: 70000, mode: 0o660, gid: 6, mtime: 7001 },
      { name: "pipe", type: "6", mode: 0o600, mtime: 7002 },
    ]);
    assert.deepEqual(treeOf(layer, { times: true }), {
      "": "750 5:6 directory 1000",
      disk: `660 0:6 block ${lstatSync(join(layer, "disk")).rdev >> 8}:${lstatSync(join(layer, "disk")).rdev & 0xff} 7001`,
      etc: "2775 1:2 directory 2000",
      "etc/file": "640 3:4 5 bytes 3000",
      "etc/rootsuid": "4755 0:0 1 bytes 3002",
      "etc/suid": "6755 7:8 1 bytes 3001",
      hard: "640 3:4 5 bytes 3000",
      link: "777 9:10 -> /no/such/../target 6000",
      locked: "0 0:0 directory 5000",
      "locked/in": "0 0:0 1 bytes 5001",
      null: "666 0:0 character 1:3 7000",
      pipe: "600 0:0 fifo 7002",
      tmp: "1777 0:0 directory 4000",
    });
    assert.equal(statSync(join(layer, "hard")).ino, statSync(join(layer, "etc/file")).ino);
    const { stdout } = { stdout: execFileSync("stat", ["-c", "%t:%T", join(layer, "disk")], { encoding: "utf8" }) };
    assert.equal(stdout.trim(), "103:11170");
    assert.equal(store.sizeOf(chainId("kinds")), 8);
  });

  test("extended attributes and file capabilities, also after a change of owner", async () => {
    const capability = Buffer.from("0100000200040000000000000000000000000000", "hex");
    const layer = await bench.apply("xattrs", [
      paxHeader({ "SCHILY.xattr.security.capability": capability, "SCHILY.xattr.user.note": "hi" }),
      { name: "ping", data: "x".repeat(2000), mode: 0o755, uid: 1000, gid: 1000 },
      paxHeader({ "SCHILY.xattr.user.empty": "\0", "SCHILY.xattr.trusted.overlay.redirect": "/etc" }),
      { name: "dir/" },
      paxHeader({ "SCHILY.xattr.trusted.overlay.opaque": "y" }),
      { name: "dir2/" },
    ]);
    assert.deepEqual(await bench.xattrs(layer, "ping"), {
      "security.capability": capability.toString("latin1"),
      "user.note": "hi",
    });
    assert.deepEqual(await bench.xattrs(layer, "dir"), { "user.empty": "\0" });
    assert.deepEqual(await bench.xattrs(layer, "dir2"), {});
  });

  test("nanoseconds, times before the epoch, directories' times kept after their children", async () => {
    const layer = await bench.apply("times", [
      paxHeader({ mtime: "1234567890.123456789" }),
      { name: "d/" },
      paxHeader({ mtime: "-5.5" }),
      { name: "d/old" },
      { name: "d/sub/later" },
    ]);
    assert.equal(lstatSync(join(layer, "d"), { bigint: true }).mtimeNs, 1_234_567_890_123_456_789n);
    assert.equal(lstatSync(join(layer, "d/old"), { bigint: true }).mtimeNs, -5_500_000_000n);
  });

  test("sparse files stay sparse", async () => {
    const size = 64 * 1024 * 1024;
    const map = `0,4096,${size / 2},4096`;
    const layer = await bench.apply("sparse", [
      paxHeader({ "GNU.sparse.size": String(size), "GNU.sparse.map": map }),
      { name: "sparse", data: Buffer.alloc(8192, "x") },
      paxHeader({ "GNU.sparse.size": String(size), "GNU.sparse.map": "" }),
      { name: "hole" },
    ]);
    const stat = statSync(join(layer, "sparse"));
    assert.equal(stat.size, size);
    assert.ok(stat.blocks * 512 < 100_000, `${stat.blocks} blocks`);
    assert.equal(
      readFileSync(join(layer, "sparse"))
        .subarray(size / 2, size / 2 + 4097)
        .toString(),
      `${"x".repeat(4096)}\0`,
    );
    assert.equal(statSync(join(layer, "hole")).size, size);
  });

  test("large files over many batches, among small ones", async () => {
    const large = Buffer.alloc(5 * 1024 * 1024 + 123);
    for (let at = 0; at < large.length - 4; at += 4) large.writeUInt32LE(at, at);
    const tar = tarArchive(
      { name: "a", data: "first" },
      { name: "large", data: large, uid: 12, mode: 0o600 },
      { name: "b", data: "last" },
    );
    await bench.applyTar("large", tar, [], 65536);
    const layer = store.directory(chainId("large"));
    assert.ok(readFileSync(join(layer, "large")).equals(large));
    assert.equal(readFileSync(join(layer, "b"), "utf8"), "last");
    assert.equal(statSync(join(layer, "large")).uid, 12);
  });

  test("very long names, names that are no UTF-8", async () => {
    const long = `${"d".repeat(200)}/${"e".repeat(200)}/${"f".repeat(200)}`;
    const layer = await bench.apply("names", [
      gnuLong("L", long),
      { name: "short", data: "1", dialect: "gnu" },
      { name: Buffer.from([0x66, 0xe9, 0xff]), data: "2" },
    ]);
    assert.equal(readFileSync(join(layer, long), "utf8"), "1");
    const names = readdirSync(layer, { encoding: "buffer" }).map((name) => name.toString("latin1"));
    assert.ok(names.includes("f\xe9\xff"), String(names));
  });

  test("the last of several entries wins, whatever they are", async () => {
    const layer = await bench.apply("twice", [
      { name: "file", data: "old", uid: 1 },
      { name: "file", data: "new!" },
      { name: "dir/" },
      { name: "dir/in/", mode: 0o700 },
      { name: "dir/in/deep", data: "x" },
      { name: "dir", type: "0", data: "a file now" },
      { name: "gone", data: "x" },
      { name: "gone/", mode: 0o711 },
      { name: "gone/here", data: "y" },
      { name: "link", type: "2", link: "file" },
      { name: "link", data: "no link" },
      { name: "kept/", mode: 0o700, mtime: 1 },
      { name: "kept/file", data: "stays" },
      { name: "kept/", mode: 0o755, mtime: 2 },
      { name: "linked", type: "2", link: "kept" },
      { name: "linked/", mode: 0o701 },
    ]);
    assert.deepEqual(treeOf(layer), {
      "": "755 0:0 directory",
      dir: "644 0:0 10 bytes",
      file: "644 0:0 4 bytes",
      gone: "711 0:0 directory",
      "gone/here": "644 0:0 1 bytes",
      kept: "755 0:0 directory",
      "kept/file": "644 0:0 5 bytes",
      link: "644 0:0 7 bytes",
      linked: "701 0:0 directory",
    });
  });

  test("what GNU tar extracts from archives of every format", requires("tar", "find"), async () => {
    const source = join(directory, "source");
    makeSource(source);
    const formats = {
      gnu: ["--sparse", "--format=gnu"],
      oldgnu: ["--sparse", "--format=oldgnu"],
      "pax-0.0": ["--sparse-version=0.0", "--format=pax"],
      "pax-0.1": ["--sparse-version=0.1", "--format=pax"],
      "pax-1.0": ["--sparse-version=1.0", "--format=pax"],
      ustar: ["--format=ustar"],
      v7: ["--format=v7", "--exclude=pipe", "--exclude=zero"],
    };
    for (const [format, options] of Object.entries(formats)) {
      const tar = join(directory, `${format}.tar`);
      const reference = join(directory, `reference-${format}`);
      const names = format === "v7" || format === "ustar" ? ["usr", "odd"] : ["usr", "odd", "long"];
      execFileSync("tar", ["-C", source, ...options, "-cf", tar, ...names], { stdio: "pipe" });
      mkdirSync(reference);
      execFileSync("tar", ["-C", reference, "-xpf", tar]);
      await bench.applyTar(format, readFileSync(tar), [], 65536);
      assert.equal(listing(store.directory(chainId(format))), listing(reference), format);
      execFileSync("diff", [
        "-r",
        "--no-dereference",
        join(reference, "usr"),
        join(store.directory(chainId(format)), "usr"),
      ]);
    }
  });
});

/** A tree with something of everything that a distribution has. */
function makeSource(source: string): void {
  mkdirSync(join(source, "usr"), { recursive: true });
  const machine = ["bin/tar", "lib/os-release", "share/zoneinfo/Europe", "share/base-files"].map(
    (name) => `usr/${name}`,
  );
  for (const name of machine.filter((name) => existsSync(`/${name}`))) {
    execFileSync("cp", ["-a", "--parents", name, source], { cwd: "/" });
  }
  mkdirSync(join(source, "odd"));
  for (let index = 0; index < 300; index++) writeFileSync(join(source, `odd/f${index}`), "x".repeat(index * 17));
  symlinkSync("../usr", join(source, "odd/link"));
  linkSync(join(source, "odd/f7"), join(source, "odd/hard"));
  execFileSync("mkfifo", [join(source, "odd/pipe")]);
  execFileSync("mknod", [join(source, "odd/zero"), "c", "1", "5"]);
  execFileSync("chown", ["12:34", join(source, "odd/f1")]);
  execFileSync("chmod", ["4711", join(source, "odd/f2")]);
  const fd = openSync(join(source, "odd/sparse"), "w");
  for (let index = 0; index < 12; index++) writeSync(fd, "data", index * 1_000_000);
  closeSync(fd);
  truncateSync(join(source, "odd/sparse"), 20_000_000);
  const long = join(source, "long", "n".repeat(150), "m".repeat(150));
  mkdirSync(long, { recursive: true });
  writeFileSync(join(long, "o".repeat(200)), "long");
  symlinkSync("t".repeat(300), join(long, "link"));
  utimesSync(long, 1, 2);
}

/** All that find knows of a tree but its root. */
function listing(tree: string): string {
  const format = "%P %y %m %U %G %s %T@ %n %l\\n";
  const lines = execFileSync("find", [tree, "-mindepth", "1", "-printf", format], { encoding: "utf8", maxBuffer: 1e8 });
  // A directory's size is the file system's own affair; so is the fraction of a time that the format cannot hold.
  return lines
    .split("\n")
    .map((line) => line.replace(/ d (\S+ \S+ \S+) \d+ /, " d $1 - "))
    .sort()
    .join("\n");
}

describe("layers on layers", root, () => {
  test("whiteouts and opaque directories, whatever the order", async () => {
    await bench.apply("below", [
      { name: "a/", mode: 0o700, uid: 3 },
      { name: "a/x", data: "1" },
      { name: "b/" },
      { name: "c", data: "c" },
      { name: "d/" },
    ]);
    const layer = await bench.apply(
      "whiteouts",
      [
        { name: "a/.wh.x" },
        { name: "b/" },
        { name: "b/new", data: "n" },
        { name: "b/.wh..wh..opq" },
        { name: ".wh.c" },
        { name: ".wh.d" },
        { name: "d/" },
        { name: "d/new", data: "d" },
        { name: "e", data: "added" },
        { name: ".wh.e" },
        { name: ".wh..wh.plnk/12.34", data: "aufs" },
        { name: ".wh..wh.aufs", data: "aufs" },
      ],
      ["below"],
    );
    assert.deepEqual(treeOf(layer), {
      "": "755 0:0 directory",
      a: "700 3:0 directory",
      "a/x": "0 0:0 character 0:0",
      b: "755 0:0 directory",
      "b/new": "644 0:0 1 bytes",
      c: "0 0:0 character 0:0",
      d: "755 0:0 directory",
      "d/new": "644 0:0 1 bytes",
      e: "644 0:0 5 bytes",
    });
    assert.equal((await bench.xattrs(layer, "b"))["trusted.overlay.opaque"], "y");
    assert.equal((await bench.xattrs(layer, "d"))["trusted.overlay.opaque"], "y");
    assert.equal((await bench.xattrs(layer, "a"))["trusted.overlay.opaque"], undefined);
  });

  test("an opaque root hides everything", async () => {
    await bench.apply("root-below", [{ name: "x", data: "1" }, { name: "y/" }, { name: "y/z" }]);
    const layer = await bench.apply("root-opaque", [{ name: ".wh..wh..opq" }, { name: "y/" }], ["root-below"]);
    assert.deepEqual(Object.keys(treeOf(layer)), ["", "x", "y"]);
    assert.equal(treeOf(layer).x, "0 0:0 character 0:0");
    assert.equal((await bench.xattrs(layer, "y"))["trusted.overlay.opaque"], "y");
  });

  test("directories the tar does not name look as they do below", async () => {
    await bench.apply("attributes", [
      { name: "./", mode: 0o711, uid: 1 },
      paxHeader({ "SCHILY.xattr.user.a": "b" }),
      { name: "srv/", mode: 0o1770, uid: 33, gid: 44, mtime: 77 },
      { name: "srv/www/", mode: 0o2750, uid: 55, mtime: 78 },
    ]);
    await bench.apply("between", [{ name: "other" }], ["attributes"]);
    await bench.apply("hidden", [{ name: "srv/.wh.www" }], ["attributes", "between"]);
    const layer = await bench.apply("implicit", [{ name: "srv/www/html/index", data: "x" }], ["attributes", "between"]);
    assert.deepEqual(treeOf(layer), {
      "": "711 1:0 directory",
      srv: "1770 33:44 directory",
      "srv/www": "2750 55:0 directory",
      "srv/www/html": "755 0:0 directory",
      "srv/www/html/index": "644 0:0 1 bytes",
    });
    assert.equal(lstatSync(join(layer, "srv")).mtimeMs, 77_000);
    assert.deepEqual(await bench.xattrs(layer, "srv"), { "user.a": "b" });
    const over = await bench.apply("over-hidden", [{ name: "srv/www/x" }], ["attributes", "between", "hidden"]);
    assert.equal(treeOf(over)["srv/www"], "755 0:0 directory");
  });

  test("hard links are names: what their entries say besides changes nothing of the file", async () => {
    const capability = "\u0001\0\0\u0002\0\u0020\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    const layer = await bench.apply("contradicting", [
      paxHeader({ "SCHILY.xattr.security.capability": capability }),
      { name: "ping", data: "x", mode: 0o755, uid: 3, mtime: 99 },
      { name: "ping6", type: "1", link: "ping", mode: 0o600, uid: 77, gid: 77, mtime: 100 },
    ]);
    const tree = treeOf(layer, { times: true });
    assert.equal(tree.ping, "755 3:0 1 bytes 99");
    assert.equal(tree.ping6, tree.ping);
    assert.deepEqual(Object.keys(await bench.xattrs(layer, "ping6")), ["security.capability"]);
  });

  test("hard links to files of lower layers are copied up with all they have", async () => {
    await bench.apply("target", [
      { name: "usr/", mode: 0o711 },
      { name: "usr/lib/", mode: 0o755 },
      paxHeader({ "SCHILY.xattr.user.a": "b" }),
      { name: "usr/lib/file", data: "content".repeat(1000), mode: 0o4750, uid: 8, gid: 9, mtime: 99 },
      { name: "lib", type: "2", link: "usr/lib" },
      { name: "usr/lib/link", type: "2", link: "file", uid: 4, mtime: 98 },
    ]);
    const layer = await bench.apply(
      "linking",
      [
        { name: "bin/", mode: 0o700 },
        { name: "bin/one", type: "1", link: "lib/file" },
        { name: "bin/two", type: "1", link: "bin/one" },
        { name: "bin/three", type: "1", link: "usr/lib/link" },
      ],
      ["target"],
    );
    const tree = treeOf(layer, { times: true });
    assert.equal(tree["bin/one"], "4750 8:9 7000 bytes 99");
    assert.equal(tree["usr/lib/file"], tree["bin/one"]);
    assert.equal(tree["bin/three"], "777 4:0 -> file 98");
    assert.equal(treeOf(layer).usr, "711 0:0 directory");
    const inodes = ["bin/one", "bin/two", "usr/lib/file"].map((name) => lstatSync(join(layer, name)).ino);
    assert.equal(new Set(inodes).size, 1);
    assert.deepEqual(await bench.xattrs(layer, "bin/one"), { "user.a": "b" });
    assert.deepEqual(readFileSync(join(layer, "bin/one"), "utf8"), "content".repeat(1000));
  });

  test("layers of one image unpack side by side, and wait for what they need", async () => {
    let ready = () => {};
    const parentsReady = new Promise<void>((resolve) => {
      ready = resolve;
    });
    const upper = store.apply({
      chainId: chainId("side-upper"),
      parents: [chainId("side-lower")],
      parentsReady,
      tar: inPieces(tarArchive({ name: "copy", type: "1", link: "original" })),
    });
    await bench.apply("side-lower", [{ name: "original", data: "12345" }]);
    ready();
    await upper;
    assert.equal(readFileSync(join(store.directory(chainId("side-upper")), "copy"), "utf8"), "12345");
  });

  test("one chain id is unpacked once, and what is here is not unpacked again", async () => {
    const tar = tarArchive({ name: "a", data: "12345" });
    const all = await Promise.all([1, 2, 3].map(() => bench.applyTar("once", tar)));
    assert.deepEqual(all, [{ size: 5 }, { size: 5 }, { size: 5 }]);
    const inode = statSync(store.directory(chainId("once"))).ino;
    assert.deepEqual(await bench.applyTar("once", tarArchive()), { size: 5 });
    assert.equal(statSync(store.directory(chainId("once"))).ino, inode);
    assert.ok(store.list().includes(chainId("once")));
    await store.remove(chainId("once"));
    await store.remove(chainId("once"));
    assert.equal(store.has(chainId("once")), false);
    assert.throws(() => store.sizeOf(chainId("once")), { kind: "not-found" });
  });
});

describe("no way out", root, () => {
  const outside = canary.slice(1);

  test("names that climb out are refused", async () => {
    for (const name of ["../canary/secret", "a/../../x", "/../x", "..", "./.."]) {
      await refuses("climb", [{ name: "a/" }, { name, type: "0", data: "x" }], /outside of the layer/);
    }
    await refuses("climbing-link", [{ name: "a", type: "1", link: "../canary/secret" }], /outside of the layer/);
    await refuses("climbing-whiteout", [{ name: "../.wh.canary" }], /outside of the layer/);
    await refuses("nameless-whiteout", [{ name: "a/.wh..." }], /whiteout must name/);
    await refuses("empty-whiteout", [{ name: "a/.wh." }], /whiteout must name/);
  });

  test("absolute names, and dots that stay inside, are inside", async () => {
    const layer = await bench.apply("inside", [
      { name: `/${outside}/secret`, data: "mine" },
      { name: "a/./b//../c", data: "x" },
    ]);
    assert.equal(readFileSync(join(layer, outside, "secret"), "utf8"), "mine");
    assert.ok(existsSync(join(layer, "a/c")));
  });

  test("links lead inside, wherever they point", async () => {
    const up = "../".repeat(9);
    const layer = await bench.apply("links", [
      { name: "absolute", type: "2", link: canary },
      { name: "absolute/secret", data: "overwritten" },
      { name: "relative", type: "2", link: `${up}${outside}` },
      { name: "relative/secret2", data: "2" },
      { name: "root", type: "2", link: "/" },
      { name: "root/rooted", data: "3" },
      { name: "chain", type: "2", link: "relative" },
      { name: "chain/secret3", data: "4" },
      { name: "file", type: "2", link: `${canary}/secret` },
      { name: "file", data: "replaced" },
      { name: "absolute/.wh.gone" },
      { name: "absolute/sub/" },
      { name: "relative/sub/.wh..wh..opq" },
    ]);
    assert.deepEqual(readdirSync(join(layer, outside)).sort(), ["gone", "secret", "secret2", "secret3", "sub"]);
    assert.equal(readFileSync(join(layer, "rooted"), "utf8"), "3");
    assert.equal(readFileSync(join(layer, "file"), "utf8"), "replaced");
    assert.equal(readlinkSync(join(layer, "absolute")), canary);
    assert.equal((await bench.xattrs(layer, `${outside}/sub`))["trusted.overlay.opaque"], "y");
  });

  test("links that never end, and ways through files", async () => {
    const loop = [
      { name: "a", type: "2", link: "b" },
      { name: "b", type: "2", link: "a" },
    ];
    await refuses("loop", [...loop, { name: "a/x", data: "1" }], /too many symbolic links/);
    await refuses(
      "through",
      [
        { name: "f", data: "1" },
        { name: "f/x", data: "2" },
      ],
      /"f" is no directory/,
    );
    await refuses("link-to-directory", [{ name: "d/" }, { name: "l", type: "1", link: "d" }], /a directory/);
    await refuses("link-to-nothing", [{ name: "l", type: "1", link: canary.slice(1) }], /no layer has it/);
    await refuses("root-file", [{ name: "./", type: "2", link: canary }], /root of the layer/);
    await refuses("root-hidden", [{ name: ".wh.", data: "" }], /whiteout must name/);
  });

  test("hard links through links find nothing outside", async () => {
    const members = [
      { name: "out", type: "2", link: canary },
      { name: "stolen", type: "1", link: "out/secret" },
    ];
    await refuses("steal", members, /no layer has it/);
    await bench.apply("out-below", [
      { name: "out", type: "2", link: canary },
      { name: "dev", type: "2", link: "/dev" },
    ]);
    for (const target of ["out/secret", "dev/null", "out"]) {
      const tar = tarArchive({ name: "stolen", type: "1", link: target });
      const applied = bench.applyTar(`steal-${target}`, tar, ["out-below"]);
      if (target === "out") await applied;
      else await assert.rejects(applied, { kind: "invalid" });
    }
    const copied = store.directory(chainId("steal-out"));
    assert.equal(readlinkSync(join(copied, "stolen")), canary);
  });

  test("devices and pipes are made, never opened", async () => {
    const layer = await bench.apply("devices", [
      { name: "disk", type: "4", major: 1, minor: 0 },
      { name: "disk", data: "not to a disk" },
      { name: "pipe", type: "6" },
      { name: "pipe", data: "not into a pipe" },
      { name: "tty", type: "3", major: 5, minor: 0 },
    ]);
    assert.ok(lstatSync(join(layer, "disk")).isFile());
    assert.ok(lstatSync(join(layer, "pipe")).isFile());
    await refuses("no-device", [{ name: "d", type: "3", major: 5000, minor: 0 }], /no device 5000:0/);
  });
});

describe("failures leave nothing", root, () => {
  test("malformed archives and streams that break", async () => {
    await refuses("checksum", [{ name: "a" }, { name: "b", wrongChecksum: true }], /wrong checksum/);
    await refuses("nul", [paxHeader({ path: "a\0b" }), { name: "a" }], /NUL/);
    const cut = tarMember({ name: "a", data: "x".repeat(3_000_000) }).subarray(0, 2_500_000);
    await assert.rejects(bench.applyTar("cut", cut, [], 65536), /ends in the middle/);
    async function* broken() {
      yield tarArchive({ name: "a", data: "b" }).subarray(0, 700);
      throw new Error("the connection broke");
    }
    const layer = { chainId: chainId("broken"), parents: [], parentsReady: Promise.resolve(), tar: broken() };
    await assert.rejects(store.apply(layer), /the connection broke/);
    assert.equal(store.has(chainId("broken")), false);
  });

  test("a digest that turns out wrong at the end", async () => {
    async function* wrong() {
      yield tarArchive({ name: "a", data: "b" });
      throw new Error("digest mismatch");
    }
    const layer = { chainId: chainId("wrong"), parents: [], parentsReady: Promise.resolve(), tar: wrong() };
    await assert.rejects(store.apply(layer), /digest mismatch/);
    assert.equal(store.has(chainId("wrong")), false);
  });

  test("cancelling, and a parent that fails", async () => {
    const cancel = new AbortController();
    async function* endless() {
      for (let index = 0; ; index++) {
        yield tarMember({ name: `f${index}`, data: "x".repeat(1000) });
        if (index === 5000) cancel.abort();
      }
    }
    const base = { chainId: chainId("cancelled"), parents: [], parentsReady: Promise.resolve() };
    await assert.rejects(store.apply({ ...base, tar: endless(), signal: cancel.signal }), { kind: "cancelled" });
    const parentsReady = Promise.reject(new Error("the parent failed"));
    const orphan = { ...base, chainId: chainId("orphan"), parentsReady, tar: inPieces(tarArchive({ name: "a" })) };
    await assert.rejects(store.apply(orphan), /the parent failed/);
    assert.equal(store.has(chainId("orphan")), false);
  });

  test("damaged layers are refused or unpacked, and nothing else", async () => {
    const whole = tarArchive(
      paxHeader({ path: "p".repeat(150), "SCHILY.xattr.user.x": "y" }),
      { name: "a", data: "x".repeat(1300), uid: 3 },
      { name: "d/" },
      { name: "d/link", type: "2", link: "../a" },
      { name: "d/hard", type: "1", link: "a" },
      { name: "d/.wh.gone" },
      { name: "dev", type: "3", major: 1, minor: 3 },
    );
    let seed = 11;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    for (let round = 0; round < 60; round++) {
      const damaged = Buffer.from(whole);
      for (let count = 3; count > 0; count--) damaged[random(damaged.length)] = random(256);
      repairChecksums(damaged);
      await bench.applyTar("damaged", damaged).catch((error: unknown) => {
        assert.equal(kindOf(error), "invalid", String(error));
      });
      await store.remove(chainId("damaged"));
    }
  });

  test("names that no file system takes", async () => {
    await refuses("component", [gnuLong("L", "n".repeat(300)), { name: "x", dialect: "gnu" }], /ENAMETOOLONG/);
    await refuses("path", [gnuLong("L", "d/".repeat(3000)), { name: "x", dialect: "gnu" }], /ENAMETOOLONG/);
  });

  test("a full disk", requires("unshare", "mount"), async () => {
    const small = join(directory, "small");
    mkdirSync(small);
    const script = 'mount -t tmpfs -o size=4m,nr_inodes=2000 tmpfs "$1" && exec "$2" "$3" "$1"';
    const fixture = join(import.meta.dirname, "../support/full-disk.ts");
    const args = ["-m", "sh", "-c", script, "sh", small, process.execPath, fixture];
    const { failures, left } = JSON.parse(await succeed("unshare", args));
    assert.equal(failures.length, 2);
    for (const { kind, message } of failures) {
      assert.equal(kind, "exhausted");
      assert.match(message, /Cannot unpack layer sha256:.*(large|small-\d+|dir).*ENOSPC/);
    }
    assert.deepEqual(left.sort(), [chainId("small").slice(7), `${chainId("small").slice(7)}.json`]);
  });

  test("what a crash has left is swept", async () => {
    const half = join(bench.directory, ".ingest-0123", "root", "locked");
    mkdirSync(half, { recursive: true });
    writeFileSync(join(half, "file"), "x");
    execFileSync("chmod", ["0", half]);
    mkdirSync(join(bench.directory, ".remove-0123/a/b"), { recursive: true });
    writeFileSync(join(bench.directory, `${"0".repeat(64)}.json`), "{}");
    const before = store.list();
    await store.sweep();
    assert.deepEqual(store.list(), before);
    assert.deepEqual(
      readdirSync(bench.directory).filter((name) => name.startsWith(".") || name.startsWith("0000")),
      [],
    );
  });
});

describe("removing trees", root, () => {
  test("deep, wide, locked and linked ones", async () => {
    const tree = join(directory, "tree");
    mkdirSync(join(tree, "locked"), { recursive: true });
    // 10 kB of path: deeper than PATH_MAX.
    execFileSync("sh", [
      "-c",
      'cd "$0" && n=dddddddddddddddddddddddddddddddddddddddddddddddddd; for i in $(seq 200); do mkdir $n && cd -P $n || exit; touch f; done',
      tree,
    ]);
    mkdirSync(join(tree, "wide"));
    for (let index = 0; index < 3000; index++) writeFileSync(join(tree, `wide/a-name-of-some-length-${index}`), "");
    for (let index = 0; index < 40; index++) mkdirSync(join(tree, `wide/directory-${index}`));
    symlinkSync(canary, join(tree, "wide/out"));
    symlinkSync(canary, join(tree, "out"));
    execFileSync("chmod", ["0", join(tree, "locked")]);
    await removeTree(executor, tree);
    assert.equal(existsSync(tree), false);
    await removeTree(executor, tree);
  });

  test("immutable and append-only files", requires("chattr"), async (context) => {
    const tree = join(directory, "immutable");
    mkdirSync(join(tree, "sub"), { recursive: true });
    for (const name of ["a", "sub/b", "sub/c"]) writeFileSync(join(tree, name), "");
    try {
      execFileSync("chattr", ["+i", join(tree, "a"), join(tree, "sub/b"), join(tree, "sub")], { stdio: "pipe" });
    } catch {
      await removeTree(executor, tree);
      return context.skip("this file system has no immutable files");
    }
    execFileSync("chattr", ["+a", tree]);
    await removeTree(executor, tree);
    assert.equal(existsSync(tree), false);
  });

  test("a mount is not entered", requires("unshare", "mount"), async () => {
    const tree = join(directory, "mounted");
    mkdirSync(join(tree, "mnt"), { recursive: true });
    const script = [
      `import { createExecutor } from "${join(import.meta.dirname, "../../src/kernel/executor.ts")}";`,
      `import { removeTree } from "${join(import.meta.dirname, "../../src/storage/unpack/remove-tree.ts")}";`,
      `const executor = createExecutor({ binary: process.argv[1], socket: process.argv[2] + "/m.sock" });`,
      `await removeTree(executor, process.argv[2] + "/mounted").catch((error) => console.log(error.message));`,
      "await executor.close();",
    ].join("\n");
    const binary = join(import.meta.dirname, "../../native/build", helperBuilds[0].file);
    const shell = 'mount --bind "$1/canary" "$1/mounted/mnt" && exec "$2" --input-type=module -e "$3" "$4" "$1"';
    const args = ["-m", "sh", "-c", shell, "sh", directory, process.execPath, script, binary];
    assert.match(await succeed("unshare", args), /EXDEV/);
    await removeTree(executor, tree);
  });
});
