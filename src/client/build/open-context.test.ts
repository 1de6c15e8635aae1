import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { TarEntry } from "../../storage/tar/entry.ts";
import { TarParser } from "../../storage/tar/parser.ts";
import { type ContextSource, isRemote, openContext } from "./open-context.ts";

let top = "";

before(() => {
  top = mkdtempSync(join(tmpdir(), "sampan-context-"));
});

after(() => rmSync(top, { recursive: true }));

/** A directory with these files; a name that ends in "/" is a directory. */
function directory(name: string, files: Readonly<Record<string, string>>): string {
  const path = join(top, name);
  mkdirSync(path, { recursive: true });
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(join(path, file, file.endsWith("/") ? "" : ".."), { recursive: true });
    if (!file.endsWith("/")) writeFileSync(join(path, file), content);
  }
  return path;
}

/** What is sent: entries by name, and contents of files. */
async function sent(source: ContextSource) {
  const { upload, ...opened } = openContext(source);
  const entries = new Map<string, TarEntry & { content: string }>();
  let current: (TarEntry & { content: string }) | undefined;
  const parser = new TarParser({
    entry: (entry) => {
      current = { ...entry, content: "" };
      entries.set(Buffer.from(entry.name, "latin1").toString(), current);
    },
    data: (bytes) => {
      if (current !== undefined) current.content += bytes.toString();
    },
    end: () => {},
  });
  for await (const chunk of upload ?? []) parser.push(chunk as Buffer);
  parser.finish();
  return { entries, names: [...entries.keys()], opened };
}

test("a directory is sent whole, in order, and belongs to root", async () => {
  const context = directory("plain", { Dockerfile: "FROM scratch", "a/b": "content", "a/c/": "", é: "" });
  const { entries, names, opened } = await sent({ context });
  assert.deepEqual(names, ["Dockerfile", "a/", "a/b", "a/c/", "é"]);
  assert.equal(opened.dockerfile, "Dockerfile");
  assert.partialDeepStrictEqual(entries.get("a/b"), { content: "content", uid: 0, gid: 0, type: "file" });
});

test("links stay links, sockets stay at home", async () => {
  const context = directory("links", { Dockerfile: "x", a: "1" });
  symlinkSync("../outside", join(context, "b"));
  linkSync(join(context, "a"), join(context, "c"));
  execFileSync("mkfifo", [join(context, "d")]);
  const server = createServer().listen(join(context, "e"));
  await new Promise((resolve) => server.once("listening", resolve));
  const { entries, names } = await sent({ context });
  server.close();
  assert.deepEqual(names, ["Dockerfile", "a", "b", "c", "d"]);
  assert.partialDeepStrictEqual(entries.get("b"), { type: "symlink", linkName: "../outside" });
  assert.partialDeepStrictEqual(entries.get("c"), { type: "hardlink", linkName: "a" });
  assert.equal(entries.get("d")?.type, "fifo");
});

test("names need not be UTF-8", async () => {
  const context = directory("bytes", { Dockerfile: "x" });
  const name = Buffer.from([0x61, 0xff, 0x62]);
  writeFileSync(Buffer.concat([Buffer.from(`${context}/`), name]), "content");
  const { entries } = await sent({ context });
  const found = [...entries.values()].find((entry) => entry.name === name.toString("latin1"));
  assert.equal(found?.content, "content");
});

test("what is ignored is not sent, but for what the daemon reads", async () => {
  const context = directory("ignored", {
    ".dockerignore": "*\n!src\nsrc/*.tmp\n!deep/down/*.keep\n",
    Dockerfile: "x",
    "src/a.c": "",
    "src/a.tmp": "",
    "deep/down/a.keep": "",
    "deep/down/a.not": "",
    "deep/other/a": "",
    "other/a": "",
  });
  const { names } = await sent({ context });
  assert.deepEqual(names, [
    ".dockerignore",
    "Dockerfile",
    "deep/",
    "deep/down/",
    "deep/down/a.keep",
    "src/",
    "src/a.c",
  ]);
});

test("a Dockerfile has ignore rules of its own", async () => {
  const context = directory("own", {
    ".dockerignore": "a",
    "docker/x.Dockerfile": "x",
    "docker/x.Dockerfile.dockerignore": "b",
    a: "",
    b: "",
  });
  const { names, opened } = await sent({ context, dockerfile: join(context, "docker/x.Dockerfile") });
  assert.equal(opened.dockerfile, "docker/x.Dockerfile");
  assert.ok(names.includes("a") && !names.includes("b"));
});

test("a Dockerfile from elsewhere is put beside the context, and hidden from it", async () => {
  const context = directory("outside/context", { Dockerfile: "not this", ".dockerignore": "a", a: "", b: "" });
  const dockerfile = join(directory("outside", { Other: "FROM other" }), "Other");
  const { entries, opened } = await sent({ context, dockerfile });
  assert.match(opened.dockerfile ?? "", /^\.dockerfile\.[0-9a-f]{20}$/);
  assert.equal(opened.name, "Other");
  assert.equal(entries.get(opened.dockerfile ?? "")?.content, "FROM other");
  assert.equal(entries.get(`${opened.dockerfile}.dockerignore`)?.content, `a\n${opened.dockerfile}*\n`);
  const given = await sent({ context, dockerfile: { text: "FROM given" } });
  assert.equal(given.entries.get(given.opened.dockerfile ?? "")?.content, "FROM given");
});

test("further directories lie in the same archive", async () => {
  const context = directory("main", { Dockerfile: "x" });
  const assets = directory("assets", { ".dockerignore": "no", yes: "1", no: "0" });
  const { names } = await sent({ context, directories: { assets } });
  assert.deepEqual(names, ["Dockerfile", ".sampan-context/assets/.dockerignore", ".sampan-context/assets/yes"]);
});

test("long secrets go into the archive", async () => {
  const context = directory("secret", { Dockerfile: "x" });
  const settings = { secrets: { a: "A".repeat(9000) } };
  const { entries, names, opened } = await sent({ context, settings });
  assert.equal(opened.inline, true);
  assert.equal(names[0], ".sampan-build.json");
  assert.deepEqual(JSON.parse(entries.get(".sampan-build.json")?.content ?? ""), settings);
  assert.equal((await sent({ context, settings: { secrets: { a: "b" } } })).opened.inline, false);
});

test("what is not there is said", () => {
  const context = directory("missing", {});
  assert.throws(() => openContext({ context }), {
    kind: "not-found",
    message: /Dockerfile: no such file or directory/,
  });
  assert.throws(() => openContext({ context: join(context, "no") }), { message: /path ".*no" not found/ });
  const file = join(directory("file", { a: "" }), "a");
  assert.throws(() => openContext({ context: file }), { kind: "invalid", message: /is no directory/ });
});

test("beside a remote context goes what else belongs to the build", async () => {
  const more = directory("beside", { a: "1" });
  const remote = { context: "https://a/b.git#main" };
  const { names, entries, opened } = await sent({
    ...remote,
    dockerfile: { text: "FROM scratch" },
    directories: { more },
    settings: { contexts: { more: "local" } },
  });
  const file = opened.dockerfile ?? "";
  assert.match(file, /^\.dockerfile\.[0-9a-f]{20}$/);
  assert.partialDeepStrictEqual(opened, { remote: remote.context, name: "Dockerfile", inline: true });
  assert.deepEqual(names.toSorted(), [".sampan-build.json", ".sampan-context/more/a", file].toSorted());
  assert.equal(entries.get(file)?.content, "FROM scratch");
  const long = await sent({ ...remote, dockerfile: "x", settings: { secrets: { a: "A".repeat(10_000) } } });
  assert.deepEqual(long.names, [".sampan-build.json"]);
  assert.partialDeepStrictEqual(long.opened, { dockerfile: "x", name: undefined, inline: true });
});

test("a context may be on another machine", () => {
  for (const url of ["https://a/b.tar", "git@a:b", "github.com/a/b", "ssh://a/b.git"]) assert.ok(isRemote(url), url);
  for (const path of [".", "a/b", "/a", "C"]) assert.ok(!isRemote(path), path);
  const opened = openContext({ context: "https://a/b.git#main", dockerfile: "x" });
  assert.deepEqual(opened, {
    upload: undefined,
    remote: "https://a/b.git#main",
    dockerfile: "x",
    name: undefined,
    inline: false,
  });
});
