import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { before, suite, test } from "node:test";
import { gzipSync } from "node:zlib";
import { tarEnd, tarHeader, tarPadding } from "../../src/storage/tar/writer.ts";
import { dockerOf } from "../support/docker.ts";
import { busybox, type Entry, tar } from "../support/images.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });
const { ok } = dockerOf(box);

/** Builds a tar archive as it is; the answer's status and text. */
async function build(entries: readonly Entry[], query: Record<string, string> = {}, change = (bytes: Buffer) => bytes) {
  const archive = change(await tar(entries));
  const search = new URLSearchParams({ t: "made:latest", ...query });
  const { status, text } = await box.api("POST", `/build?${search}`, archive, { "content-type": "application/x-tar" });
  return { status, text };
}

/** One file of an archive, ten times as fast as a library makes it. */
function file(name: string, body: string): Buffer {
  const none = { linkName: "", uid: 0, gid: 0, major: 0, minor: 0, xattrs: [], sparse: false };
  const mtime = { seconds: 1e9, nanoseconds: 0 };
  const header = tarHeader({ ...none, type: "file", name, mode: 0o644, size: body.length, mtime });
  return Buffer.concat([header, Buffer.from(body), Buffer.alloc(tarPadding(body.length))]);
}

const dockerfile = (...lines: string[]): Entry => ({ name: "Dockerfile", body: lines.join("\n") });

suite("build contexts", requires("docker", "busybox"), () => {
  before(async () => box.load(await busybox(), "busybox:latest"));

  test("links, devices, pipes, names that are not UTF-8, and what leads out of the context", async () => {
    const odd = Buffer.from([0x6e, 0xff, 0xfe]).toString("latin1");
    const { text } = await build([
      dockerfile("FROM busybox", "COPY d /d", "COPY up /up"),
      { name: "d", type: "directory", mode: 0o750, uid: 1000 },
      { name: "d/hard", type: "link", linkname: "Dockerfile" },
      { name: "d/link", type: "symlink", linkname: "../../../../etc/shadow" },
      { name: "d/pipe", type: "fifo" },
      { name: "d/null", type: "character-device", devmajor: 1, devminor: 3 },
      { name: `d/${odd}`, body: "odd" },
      { name: "up", type: "symlink", linkname: "../../../../d" },
    ]);
    assert.match(text, /Successfully built/);
    const found = await ok(
      "run",
      "--rm",
      "made",
      "sh",
      "-c",
      "stat -c '%F %u' /d/hard /d/link /d/pipe /d/null; ls /d /up | wc -l",
    );
    const types = ["regular file 0", "symbolic link 0", "fifo 0", "character special file 0", "13"];
    assert.deepEqual(found.split("\n"), types);
    for (const name of ["../evil", "/../evil"]) {
      assert.match((await build([dockerfile("FROM scratch"), { name, body: "" }])).text, /invalid entry name/);
    }
    const out = await build([
      dockerfile("FROM scratch", "COPY l /"),
      { name: "l", type: "symlink", linkname: "/etc/shadow" },
    ]);
    assert.match(out.text, /file does not exist/);
  });

  test("ignored files are not there, nor do they count for the cache", async () => {
    const entries = (ignored: string): Entry[] => [
      dockerfile("FROM busybox", "COPY . /all"),
      { name: ".dockerignore", body: "secret\n*.log\n!keep.log\nd/*\n!d/kept\n" },
      ...["secret", "a.log", "d/gone"].map((name) => ({ name, body: ignored })),
      ...["keep.log", "d/kept", "plain"].map((name) => ({ name, body: "kept" })),
    ];
    await build(entries("one"));
    assert.equal(
      await ok("run", "--rm", "made", "sh", "-c", "find /all -type f | sort"),
      [...["/all/.dockerignore", "/all/Dockerfile", "/all/d/kept", "/all/keep.log", "/all/plain"]].join("\n"),
    );
    assert.match((await build(entries("two"))).text, /Using cache/);
    const gone = await build(
      [...entries("one"), { name: "x", body: dockerfile("FROM scratch", "COPY secret /").body ?? "" }],
      { dockerfile: "x" },
    );
    assert.match(gone.text, /excluded by .dockerignore/);
  });

  test("compressed ones, broken ones, and those without a Dockerfile", async () => {
    const entries = [dockerfile("FROM busybox")];
    assert.match((await build(entries, {}, gzipSync)).text, /Successfully built/);
    const cut = await build(entries, {}, (bytes) => bytes.subarray(0, 600));
    assert.match(cut.text, /it ends in the middle of an entry/);
    assert.equal(cut.status, 400);
    assert.equal((await build(entries, {}, (bytes) => gzipSync(bytes).subarray(0, 60))).status, 400);
    assert.match((await build([])).text, /Cannot locate specified Dockerfile: Dockerfile/);
    assert.match((await build([dockerfile("")])).text, /cannot be empty/);
    assert.match((await build([dockerfile("FROM busybox", "RUNN x")])).text, /unknown instruction: RUNN/);
    assert.equal((await build([dockerfile("FROM busybox", "RUNN x")])).status, 400);
  });

  test("a hundred thousand files", async () => {
    const files = Array.from({ length: 100_000 }, (_, i) => file(`f/${i % 100}/${i}`, String(i)));
    const archive = Buffer.concat([...files, file("Dockerfile", "FROM busybox\nCOPY f/1 /one"), tarEnd]);
    const { text } = await box.api("POST", "/build?t=made:latest", archive, { "content-type": "application/x-tar" });
    assert.match(text, /Successfully built/);
    assert.equal(await ok("run", "--rm", "made", "sh", "-c", "ls /one | wc -l; cat /one/201"), "1000\n201");
    assert.deepEqual(readdirSync(join(box.layout.tmp, "builds")), []);
  });
});
