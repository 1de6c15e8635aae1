import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { mountsMember } from "../../src/images/build-steps.ts";
import { buildContext } from "../support/builds.ts";
import { busybox } from "../support/images.ts";
import { type Registry, startRegistry } from "../support/registry.ts";
import { requires } from "../support/requires.ts";
import { type Sandbox, sandbox } from "../support/sandbox.ts";
import { type TarMember, tarArchive, tarEnd } from "../support/tar.ts";

/** Two machines: nothing is common to them but what a build brings from one to the other. */
const one = sandbox({ start: true });
const other = sandbox({ start: true });
let builds = 0;

/** Builds commands, each made another one than all before, and answers what the build has told. */
async function build(box: Sandbox, runs: readonly string[], ...args: string[]): Promise<string> {
  const lines = ["FROM busybox", ...runs.map((run) => `RUN ${run} # ${++builds}`)];
  const directory = buildContext(box, { Dockerfile: lines });
  const words = ["build", "--progress", "plain", "-t", "made", ...args, directory];
  const { status, stderr } = await box.run(words, { timeout: 60_000 });
  assert.equal(status, 0, stderr);
  return stderr;
}

const says = (box: Sandbox, command: string) => box.ok("run", "--rm", "--network", "none", "made", "sh", "-c", command);

const cache = (id: string, more = "") => `--mount=type=cache,id=${id},target=/c${more}`;
const list = "find /c -exec stat -c '%n %F %a %u:%g %h %Y' {} + | sort";

interface Layout {
  readonly blobs: string;
  readonly manifest: {
    readonly config: { digest: string; size: number };
    readonly layers: { digest: string; size: number }[];
  };
  readonly config: Record<string, unknown> & { readonly rootfs: { readonly diff_ids: string[] } };
}

function read(directory: string): Layout {
  const blobs = join(directory, "blobs", "sha256");
  const blob = (digest: string) => JSON.parse(readFileSync(join(blobs, digest.slice(7)), "utf8"));
  const manifest = blob(JSON.parse(readFileSync(join(directory, "index.json"), "utf8")).manifests[0].digest);
  return { blobs, manifest, config: blob(manifest.config.digest) };
}

const digestOf = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** Writes a layout whose only cache mount is this archive; `change` may then lie about it. */
function forge(
  directory: string,
  id: string,
  tar: Buffer,
  change: (mount: Record<string, unknown>) => void = () => {},
) {
  const { blobs, manifest, config } = read(directory);
  const put = (bytes: Buffer) => {
    writeFileSync(join(blobs, digestOf(bytes).slice(7)), bytes);
    return { digest: digestOf(bytes), size: bytes.length };
  };
  const mount = { id, layer: 0, mode: 0o755, uid: 0, gid: 0 };
  change(mount);
  const forged = { ...config, rootfs: { type: "layers", diff_ids: [digestOf(tar)] }, [mountsMember]: [mount] };
  const [layer] = manifest.layers;
  const steps = { "sampan.buildcache.v1": [] };
  const configuration = { ...manifest.config, ...put(Buffer.from(JSON.stringify({ ...forged, ...steps }))) };
  const root = put(
    Buffer.from(JSON.stringify({ ...manifest, config: configuration, layers: [{ ...layer, ...put(tar) }] })),
  );
  const index = JSON.parse(readFileSync(join(directory, "index.json"), "utf8"));
  index.manifests = [{ ...index.manifests[0], ...root }];
  writeFileSync(join(directory, "index.json"), JSON.stringify(index));
}

suite("cache mounts in caches that travel", requires("busybox", "docker-registry"), () => {
  let registry: Registry;

  before(async () => {
    const image = await busybox();
    await Promise.all([one, other].map((box) => box.load(image, "busybox:latest")));
    registry = await startRegistry(join(one.directory, "registry"));
  });
  after(() => registry.close());

  test("are there on another machine: contents, owners, modes, times, links, and whose the directory is", async () => {
    const dest = join(one.directory, "whole");
    const fill = [
      `${cache("whole", ",mode=0750,uid=7,gid=8")} cd /c && echo one >f && chown 5:6 f && chmod 4640 f && mkdir -m 700 d && ln f hard \\`,
      "  && ln -s ../../etc/passwd link && mkfifo pipe && echo >.wh.f && chmod 1777 /c && touch -d @1000000000 f d",
    ];
    await build(one, [fill.join("\n")], "--cache-to", `type=local,dest=${dest},cache-mounts=true`);
    await build(one, [`${cache("whole")} ${list} >/list; cat /c/f /c/.wh.f >/text; readlink /c/link >>/text`]);
    const [listed, text] = [await says(one, "cat /list"), await says(one, "cat /text")];
    assert.match(listed, /^\/c directory 1777 7:8 /m);
    assert.match(listed, /^\/c\/f regular file 4640 5:6 2 1000000000$/m);
    const told = await build(
      other,
      [`${cache("whole")} ${list} >/list; cat /c/f /c/.wh.f >/text; readlink /c/link >>/text`],
      ...["--no-cache", "--cache-from", `type=local,src=${dest}`],
    );
    assert.match(told, /importing cache manifest from/);
    assert.equal(await says(other, "cat /text"), text);
    const undated = (lines: string) => lines.replaceAll(/ \d+$/gm, "");
    assert.equal(undated(await says(other, "cat /list")), undated(listed));
    assert.match(await says(other, "cat /list"), /^\/c\/f .* 1000000000$/m);
  });

  test("of a registry; what is here already stays, and ids are apart", async () => {
    const ref = `${registry.host}/team/cache:mounts`;
    const fills = [`${cache("a")} echo a1 >/c/f`, `${cache("b", ",sharing=locked")} echo b1 >/c/f`];
    const more = [`${cache("c", ",sharing=private")} echo c1 >/c/f`, `${cache("late")} true`];
    await build(one, [...fills, ...more], "--cache-to", `type=registry,ref=${ref},mode=max,cache-mounts=true`);
    await build(other, [`${cache("a")} echo own >/c/f`]);
    const reads = ["a", "b", "c", "late", "never"].map(
      (id) => `${cache(id)} cat /c/f >/of-${id} 2>/dev/null; ls -A /c | wc -l >>/of-${id}`,
    );
    await build(other, reads, "--cache-from", ref);
    assert.equal(await says(other, "cat /of-a /of-b /of-c /of-late /of-never"), "own\n1\nb1\n1\nc1\n1\n0\n0");
    // They are the other's own now.
    await build(other, [`${cache("b")} cat /c/f >/b`]);
    assert.equal(await says(other, "cat /b"), "b1");
  });

  test("only those of the build, and only on request", async () => {
    const [plain, asked] = [join(one.directory, "plain"), join(one.directory, "asked")];
    await build(one, [`${cache("unasked")} echo >/c/f`], "--cache-to", `type=local,dest=${plain},mode=max`);
    assert.equal(read(plain).config[mountsMember], undefined);
    await build(one, [`${cache("asked")} true`], "--cache-to", `type=local,dest=${asked},cache-mounts=true`);
    const mounts = read(asked).config[mountsMember] as { id: string; layer: number }[];
    assert.deepEqual(
      mounts.map(({ id }) => id),
      ["asked"],
    );
    // A step that was not carried out has its directory all the same.
    const cached = buildContext(one, { Dockerfile: ["FROM busybox", `RUN ${cache("again")} echo kept >/c/f`] });
    const again = join(one.directory, "again");
    await one.ok("build", "-q", cached);
    await one.ok("build", "-q", "--cache-to", `type=local,dest=${again},cache-mounts=true`, cached);
    const { config, manifest, blobs } = read(again);
    const place = (config[mountsMember] as { layer: number }[])[0]?.layer ?? -1;
    const packed = gunzipSync(readFileSync(join(blobs, manifest.layers[place]?.digest.slice(7) ?? "")));
    assert.equal(digestOf(packed), config.rootfs.diff_ids[place]);
    assert.ok(packed.includes("kept\n"));
  });

  test("a locked one is packed when nobody else has it", async () => {
    const dest = join(one.directory, "locked");
    const mount = cache("held", ",sharing=locked");
    const known = buildContext(one, { Dockerfile: ["FROM busybox", `RUN ${mount} true # ${++builds}`] });
    await one.ok("build", "-q", known);
    const signal = "--mount=type=cache,id=signal,target=/s";
    const wait = "touch /s/begun; until [ -e /s/go ]; do sleep 0.1; done";
    const holding = build(one, [`${mount} ${signal} echo half >/c/f; ${wait}; echo whole >/c/f`]);
    await build(one, [`${signal} until [ -e /s/begun ]; do sleep 0.1; done`]);
    const packing = one.run([
      "build",
      "--progress",
      "plain",
      "--cache-to",
      `type=local,dest=${dest},cache-mounts=true`,
      known,
    ]);
    await build(one, [`${signal} touch /s/go`]);
    await holding;
    const { status, stderr } = await packing;
    assert.equal(status, 0, stderr);
    assert.match(stderr, /CACHED/);
    await build(other, [`${cache("held")} cat /c/f >/read`], "--cache-from", `type=local,src=${dest}`);
    assert.equal(await says(other, "cat /read"), "whole");
  });

  test("an archive that lies or leads out is refused, and nothing of it stays", async () => {
    const dest = join(one.directory, "forged");
    await build(one, [`${cache("x")} echo >/c/f`], "--cache-to", `type=local,dest=${dest},cache-mounts=true`);
    const out = join(other.directory, "evil");
    const cases: [TarMember[], RegExp][] = [
      [[{ name: "../../../../evil", data: "x" }], /invalid entry name/],
      [[{ name: "a/../../evil", data: "x" }], /invalid entry name/],
      [[{ name: "l", type: "1", link: "../../state.db" }], /invalid hardlink target/],
      [
        [
          { name: "d", type: "2", link: other.directory },
          { name: "d/evil", data: "x" },
        ],
        /unpack the cache mount/,
      ],
      [[{ name: "f", data: "x", size: 5000 }], /./],
    ];
    for (const [index, [members, why]] of cases.entries()) {
      forge(dest, `forged${index}`, tarArchive({ name: "first", data: "1" }, ...members));
      await refused(dest, `forged${index}`, why);
    }
    assert.ok(!existsSync(out) && !readdirSync(other.directory).includes("evil"));
    // Names from the root, and links, lead nowhere else than names in the directory.
    const inside = [
      { name: out, data: "rooted" },
      { name: "up", type: "2", link: "../../.." },
      { name: "up/linked", data: "linked" },
    ];
    forge(dest, "inside", tarArchive(...inside));
    const read = `${cache("inside")} cat /c${out} /c/linked >/read`;
    await build(other, [read], "--cache-from", `type=local,src=${dest}`);
    assert.equal(await says(other, "cat /read"), "rootedlinked");
    assert.ok(!existsSync(out));
  });

  /** A build with a forged cache fails; without it the mount is an empty one. */
  async function refused(src: string, id: string, why: RegExp): Promise<void> {
    const Dockerfile = ["FROM busybox", `RUN ${cache(id)} ls -A /c >/names # ${++builds}`];
    const directory = buildContext(other, { Dockerfile });
    const stderr = new RegExp(`Cannot use the build cache of (?:.|\\n)*${why.source}`);
    await other.fails({ status: 1, stderr }, "build", "--cache-from", `type=local,src=${src}`, directory);
    await build(other, [`${cache(id)} ls -A /c >/names`]);
    assert.equal(await says(other, "cat /names"), "");
  }

  test("a configuration that lies is refused", async () => {
    const dest = join(one.directory, "lies");
    await build(one, [`${cache("y")} echo >/c/f`], "--cache-to", `type=local,dest=${dest},cache-mounts=true`);
    const tar = tarArchive({ name: "f", data: "x" });
    const lies: [string, unknown, RegExp][] = [
      ["layer", 7, /it has no layer 7/],
      ["layer", -1, /layer/],
      ["mode", 0o170000, /mode/],
      ["uid", -1, /uid/],
      ["id", 5, /id/],
    ];
    for (const [name, value, why] of lies) {
      forge(dest, "lie", tar, (mount) => Object.assign(mount, { [name]: value }));
      await refused(dest, "lie", why);
    }
    forge(dest, "other", tar);
    const { blobs, manifest } = read(dest);
    writeFileSync(join(blobs, manifest.layers[0]?.digest.slice(7) ?? ""), Buffer.concat([tar, tarEnd]));
    await refused(dest, "other", /more than the promised/);
  });

  test("what cannot be done is refused", async () => {
    const directory = buildContext(one, { Dockerfile: "FROM busybox\n" });
    const cases: [string, RegExp][] = [
      ["type=inline,cache-mounts=true", /Cannot export cache mounts inline: .* type=registry or type=local/],
      ["type=local,dest=x,cache-mounts=yes", /no cache-mounts=yes: true and false are there/],
      ["type=local,dest=x,cache-mount=true", /Cannot use the attribute cache-mount /],
    ];
    for (const [value, stderr] of cases)
      await one.fails({ status: 1, stderr }, "build", "--cache-to", value, directory);
  });
});
