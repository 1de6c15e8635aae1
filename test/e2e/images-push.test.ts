import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, before, describe, test } from "node:test";
import { parseReference } from "../../src/registry/reference.ts";
import { startDropper } from "../support/dropper.ts";
import { seeded } from "../support/endurance/random.ts";
import { type FrontAnswer, type FrontRequest, plain, startFront } from "../support/front.ts";
import { ImageBox } from "../support/image-store.ts";
import {
  configurationOf,
  digestOf,
  imageWithBigLayer,
  type TestImage,
  tar,
  writeIndexLayout,
  writeOciLayout,
} from "../support/images.ts";
import { runProgram, succeed } from "../support/process.ts";
import { type Registry, startRegistry } from "../support/registry.ts";
import { requires, requiresRoot } from "../support/requires.ts";

/** What Docker prints for each layer, without counts. */
const states = (lines: readonly { id?: string; status: string }[]) =>
  new Set(lines.filter(({ id }) => id !== undefined).map(({ status }) => status.replace(/\d+/, "N")));

describe("push", { ...requires("docker-registry", "skopeo"), ...requiresRoot() }, () => {
  let box: ImageBox;
  let registry: Registry;
  let image: TestImage;

  before(async () => {
    box = new ImageBox();
    registry = await startRegistry(join(box.directory, "registry"));
    image = await imageWithBigLayer({ Cmd: ["x"] });
  });

  after(async () => {
    await registry?.close();
    await box?.close();
  });

  const nobody = { force: true, inUse: () => [] };
  const clean = async () => {
    // One after the other: with an index its parts go, too.
    const next = () => box.images.list().find(({ virtual }) => virtual === undefined);
    for (let image = next(); image !== undefined; image = next()) await box.images.remove(image.id, nobody);
    assert.deepEqual(box.files(), []);
  };
  const inspect = async (name: string) =>
    JSON.parse(await succeed("skopeo", ["inspect", "--tls-verify=false", `docker://${registry.host}/${name}`])) as {
      Digest: string;
      Layers: string[];
    };
  /** Another image with a layer of its own. */
  const fresh = async (size = 1_000_000): Promise<TestImage> => ({
    layers: [...image.layers.slice(0, 1), await tar([{ name: "own", body: randomBytes(size) }])],
    config: {},
  });

  test("what was pushed is what is pulled, and skopeo reads it", async () => {
    const name = `${registry.host}/push/image:1`;
    const loaded = await box.load(image, name);
    const { lines, pushed } = await box.push(name);
    assert.deepEqual(lines[0], { status: `The push refers to repository [${registry.host}/push/image]` });
    for (const state of ["Preparing", "Pushed"]) assert.ok(states(lines).has(state), [...states(lines)].join());
    const [{ digest = "", size = 0, tag = "" } = {}] = pushed;
    assert.deepEqual(lines.at(-1), { status: `${tag}: digest: ${digest} size: ${size}` });
    assert.equal((await inspect("push/image:1")).Digest, digest);
    assert.ok(box.images.resolve(name).repoDigests.includes(`${registry.host}/push/image@${digest}`));
    await clean();
    const { image: pulled } = await box.pull(name);
    assert.equal(pulled.id, loaded.id);
    assert.equal(pulled.id, digestOf(configurationOf(image)));
  });

  test("what the registry has is not sent again", async () => {
    const name = `${registry.host}/push/image:1`;
    const from = box.exchanges.length;
    const { lines } = await box.push(name);
    assert.deepEqual(states(lines), new Set(["Preparing", "Layer already exists"]));
    const methods = new Set(box.exchanges.slice(from).map(({ method }) => method));
    assert.deepEqual(methods, new Set(["GET", "HEAD", "PUT"]));
  });

  test("a neighbour's blobs are mounted, not sent", async () => {
    const source = `${registry.host}/push/image:1`;
    const target = `${registry.host}/other/name:2`;
    box.images.tag(box.images.resolve(source).id, parseReference(target));
    const from = box.exchanges.length;
    const { lines } = await box.push(target);
    assert.deepEqual(states(lines), new Set(["Preparing", "Mounted from push/image"]));
    assert.ok(!box.exchanges.slice(from).some(({ method }) => method === "PATCH"));
    assert.equal((await inspect("other/name:2")).Layers.length, 3);
  });

  test("all tags of a repository", async () => {
    const names = ["1", "2", "3"].map((tag) => `${registry.host}/push/tags:${tag}`);
    await box.load(await fresh(), ...names);
    const { pushed } = await box.push(`${registry.host}/push/tags`, { allTags: true });
    assert.deepEqual(
      pushed.map(({ tag }) => tag),
      ["1", "2", "3"],
    );
    assert.equal(new Set(pushed.map(({ digest }) => digest)).size, 1);
    await inspect("push/tags:3");
  });

  test("what is not here is told in Docker's words", async () => {
    await assert.rejects(box.push(`${registry.host}/push/none:1`), {
      kind: "not-found",
      message: `An image does not exist locally with the tag: ${registry.host}/push/none`,
    });
    await assert.rejects(box.push(`${registry.host}/push/image:none`), { message: /^tag does not exist: / });
    await assert.rejects(box.push("sampan/host"), { kind: "conflict" });
  });

  test("connections that break at any offset, in both directions", async (context) => {
    let left = 24;
    const random = seeded(context);
    const dropper = await startDropper(registry.host, () => {
      if (left-- <= 0) return { up: Number.POSITIVE_INFINITY, down: Number.POSITIVE_INFINITY };
      return left % 2 === 0
        ? { up: random.below(3_000_000), down: Number.POSITIVE_INFINITY }
        : { up: Number.POSITIVE_INFINITY, down: random.below(2000) };
    });
    try {
      const own = await fresh(3_000_000);
      for (const round of ["a", "b", "c"]) {
        const name = `${dropper.host}/broken/${round}:1`;
        await box.load(own, name);
        for (let tries = 0; ; tries++) {
          try {
            await box.push(name);
            break;
          } catch (error) {
            // Patience may end, but never otherwise than with the connection's error.
            if (tries === 5) throw error;
            assert.match(
              String(error),
              /ECONNRESET|EPIPE|connection|socket hang up|HPE_|no more bytes|ended|blob upload (unknown|invalid)/i,
            );
          }
        }
        assert.equal((await inspect(`broken/${round}:1`)).Layers.length, 2);
      }
      assert.ok(dropper.broken > 0, `${dropper.broken} broken`);
    } finally {
      await dropper.close();
    }
  });

  /** A registry that remembers partial uploads as the specification has it, in front of the real one for all else. */
  async function resuming(cutAfter: number) {
    const received: { range: string | undefined; size: number }[] = [];
    let kept = Buffer.alloc(0);
    let cuts = 1;
    const front = await startFront(registry.host, async (request) => {
      const { method, path, headers } = request;
      if (method === "POST") return plain(202, "", { location: "/v2/resume/image/blobs/uploads/x?state=a+b%2F" });
      if (path.startsWith("/v2/resume/image/blobs/uploads/x")) {
        assert.ok(path.includes("state=a+b%2F"), path);
        if (method === "GET") return plain(204, "", { location: path, range: `0-${kept.length - 1}` });
        if (method === "PATCH") {
          const bytes = request.bytes;
          received.push({ range: headers["content-range"], size: bytes.length });
          if (bytes.length > cutAfter && cuts-- > 0) {
            kept = Buffer.concat([kept, bytes.subarray(0, cutAfter)]);
            return { ...plain(202), drop: true };
          }
          kept = Buffer.concat([kept, bytes]);
          return plain(202, "", { location: path, range: `0-${kept.length - 1}` });
        }
        const digest = new URL(path, "http://x").searchParams.get("digest") ?? "";
        const ok = digestOf(kept) === digest;
        kept = Buffer.alloc(0);
        return ok
          ? plain(201)
          : plain(400, { errors: [{ code: "DIGEST_INVALID", message: "provided digest did not match" }] });
      }
      if (path.includes("/blobs/")) return plain(404);
      return plain(201);
    });
    return { front, received };
  }

  test("an upload goes on where the registry says that it ended", async () => {
    const own = await tar([{ name: "own", body: randomBytes(2_000_000) }]);
    const { front, received } = await resuming(500_000);
    try {
      await box.load({ layers: [own], config: {} }, `${front.host}/resume/image:1`);
      // One at a time: this registry knows one upload.
      const single = new ImageBox({ uploads: 1 });
      try {
        await single.load({ layers: [own], config: {} }, `${front.host}/resume/image:1`);
        await single.push(`${front.host}/resume/image:1`);
      } finally {
        await single.close();
      }
      const sizes = received.filter(({ size }) => size > 100_000);
      assert.equal(sizes.length, 2);
      const [whole, rest] = sizes;
      assert.deepEqual(rest, { range: `500000-${(whole?.size ?? 0) - 1}`, size: (whole?.size ?? 0) - 500_000 });
    } finally {
      await front.close();
    }
  });

  type Misbehaviour = (request: FrontRequest, count: number) => Promise<FrontAnswer>;
  /** Pushes something new to a registry that behaves so. */
  const pushTo = async (behaviour: Misbehaviour, options: Parameters<ImageBox["push"]>[1] = {}) => {
    const counts = new Map<string, number>();
    const front = await startFront(registry.host, (request) => {
      const key = `${request.method} ${request.path.replace(/uploads\/.*/, "uploads")}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
      return behaviour(request, counts.get(key) ?? 0);
    });
    try {
      const name = `${front.host}/misbehaved/image:1`;
      await box.load(await fresh(300_000), name);
      return { ...(await box.push(name, options)), seen: front.seen };
    } finally {
      await front.close();
    }
  };

  for (const method of ["HEAD", "POST", "PATCH", "PUT"]) {
    test(`${method}: 429 and 503 are waited for as long as they say`, async () => {
      const began = performance.now();
      await pushTo(async (request, count) => {
        if (request.method !== method || count > 1) return request.forward();
        return plain(method === "PUT" ? 503 : 429, {}, { "retry-after": "1" });
      });
      assert.ok(performance.now() - began > 900);
    });
  }

  test("a registry that stays busy is an error that says so", async () => {
    const errors = [{ code: "TOOMANYREQUESTS", message: "slow down" }];
    const busy = pushTo(async (request) => (request.method === "PATCH" ? plain(429, { errors }) : request.forward()));
    await assert.rejects(busy, { kind: "unavailable", message: /toomanyrequests: slow down/ });
  });

  test("tokens that expire in the middle are renewed, with the scopes of push and mount", async () => {
    let issued = 0;
    let left = 0;
    const scopes: string[] = [];
    await pushTo(async (request) => {
      const { path, headers } = request;
      if (path.startsWith("/token")) {
        scopes.push(...new URL(path, "http://x").searchParams.getAll("scope"));
        left = 3;
        return plain(200, { token: `token-${++issued}`, expires_in: 300 });
      }
      if (headers.authorization === `Bearer token-${issued}` && left-- > 0) return request.forward();
      const realm = `Bearer realm="http://${headers.host}/token",service="test",scope="repository:misbehaved/image:pull"`;
      return plain(401, { errors: [{ code: "UNAUTHORIZED" }] }, { "www-authenticate": realm });
    });
    assert.ok(issued > 2, `${issued} tokens`);
    assert.deepEqual(new Set(scopes), new Set(["repository:misbehaved/image:pull,push"]));
  });

  test("who may not push is told so", async () => {
    const errors = [{ code: "DENIED", message: "requested access to the resource is denied" }];
    const denied = pushTo(async (request) => (request.method === "POST" ? plain(403, { errors }) : request.forward()));
    await assert.rejects(denied, {
      kind: "denied",
      message: /^push access denied for .*misbehaved\/image.*denied: requested access to the resource is denied$/,
    });
    await assert.rejects(
      pushTo(async () => plain(401)),
      { kind: "denied", message: /authentication required/ },
    );
  });

  test("what a registry does not take is not tried again", async () => {
    const errors = [{ code: "MANIFEST_INVALID", message: "no" }];
    const refused = pushTo(async (request) => {
      return request.method === "PUT" && request.path.includes("/manifests/")
        ? plain(400, { errors })
        : request.forward();
    });
    await assert.rejects(refused, { kind: "invalid", message: /manifest invalid: no$/ });
  });

  test("a blob that was damaged here is not taken there, and named", async () => {
    const name = `${registry.host}/damaged/image:1`;
    const layer = await tar([{ name: "damaged", body: randomBytes(100_000) }]);
    await box.load({ layers: [layer], config: {} }, name);
    const file = join(box.layout.content, "blobs", digestOf(layer).replace(":", "/"));
    const bytes = readFileSync(file);
    writeFileSync(file, Buffer.from(bytes).fill(0, 5000, 5010));
    await assert.rejects(box.push(name), { kind: "internal", message: /its file has been changed; remove the image/ });
    writeFileSync(file, bytes.subarray(0, 1000));
    await assert.rejects(box.push(name), { kind: "internal", message: /1000 bytes instead of \d+/ });
  });

  test("layers are compressed in another way on request, and what is here stays as it is", async () => {
    const name = `${registry.host}/compressed/image:1`;
    const { id } = await box.load(image, name);
    const files = box.files();
    const typesAt = async () => {
      const raw = await succeed("skopeo", ["inspect", "--raw", "--tls-verify=false", `docker://${name}`]);
      const { layers } = JSON.parse(raw) as { layers: { mediaType: string }[] };
      return [...new Set(layers.map(({ mediaType }) => mediaType.replace(/.*\.tar/, "")))];
    };
    for (const [compression, type] of [
      ["zstd", "+zstd"],
      ["gzip", "+gzip"],
      ["none", ""],
    ] as const) {
      await box.push(name, { compression });
      assert.deepEqual(await typesAt(), [type]);
      assert.deepEqual(box.files(), files);
    }
    await box.push(name, { compression: "zstd" });
    await box.images.remove(id, nobody);
    assert.equal((await box.pull(name)).image.id, id);
    await box.push(name, { compression: "gzip" });
    assert.deepEqual(await typesAt(), ["+gzip"]);
  });

  test("what annotations say of a layer's compressed form goes with that form", async () => {
    const own = { "org.example.own": "kept" };
    const annotations = {
      ...own,
      "containerd.io/snapshot/stargz/toc.digest": digestOf(Buffer.from("toc")),
      "io.containers.estargz.uncompressed-size": "1234",
      "io.github.containers.zstd-chunked.manifest-checksum": digestOf(Buffer.from("manifest")),
    };
    const layout = join(box.directory, "annotated");
    annotateLayers(layout, writeOciLayout(layout, image), annotations);
    await registry.push(layout, "annotated/image:1");
    const name = `${registry.host}/annotated/image:1`;
    await clean();
    await box.pull(name);
    for (const [compression, left] of [
      ["gzip", annotations],
      ["zstd", own],
    ] as const) {
      await box.push(name, { compression });
      const raw = await succeed("skopeo", ["inspect", "--raw", "--tls-verify=false", `docker://${name}`]);
      for (const layer of JSON.parse(raw).layers) assert.deepEqual(layer.annotations, left);
    }
  });

  test("attestations of an index say whose they are, also when its images have other layers", async () => {
    const layout = join(box.directory, "attested");
    mkdirSync(layout);
    const layer = await tar([{ name: "attested", body: "content" }]);
    const wanted = ["amd64", "arm64"].map((architecture) => ({ architecture, image: { layers: [layer], config: {} } }));
    const name = `${registry.host}/attested/image:1`;
    writeIndexLayout(layout, wanted, name, { attested: true });
    const archive = execFileSync("tar", ["-C", layout, "-c", "."]);
    await box.images.load(Readable.from([archive]), { progress: () => undefined });
    const entriesAt = async () => {
      const raw = await succeed("skopeo", ["inspect", "--raw", "--tls-verify=false", `docker://${name}`]);
      return JSON.parse(raw).manifests as { digest: string; annotations?: Record<string, string> }[];
    };
    await box.push(name);
    const before = await entriesAt();
    await box.push(name, { compression: "zstd" });
    const [first, second, ...attestations] = await entriesAt();
    assert.notEqual(first?.digest, before[0]?.digest);
    assert.deepEqual(
      attestations.map(({ annotations }) => annotations?.["vnd.docker.reference.digest"]),
      [first?.digest, second?.digest],
    );
    // They themselves are what they were.
    assert.deepEqual(
      attestations.map(({ digest }) => digest),
      before.slice(2).map(({ digest }) => digest),
    );
  });

  test("a cancelled push ends at once", async () => {
    const abort = new AbortController();
    const own = await fresh(5_000_000);
    const name = `${registry.host}/cancelled/image:1`;
    await box.load(own, name);
    const pushing = box.push(name, {
      signal: abort.signal,
      progress: ({ status }) => status === "Pushing" && abort.abort(),
    });
    await assert.rejects(pushing, { kind: "cancelled" });
    const { status } = await runProgram("skopeo", ["inspect", "--tls-verify=false", `docker://${name}`]);
    assert.notEqual(status, 0);
  });

  test("indexes: a part is pushed as that part, all of one whole", async () => {
    const { layouts, index } = await twoPlatforms(join(box.directory, "multi"));
    await succeed("skopeo", [...skopeoCopy, `oci:${layouts}:multi`, `docker://${registry.host}/multi/image:1`]);
    const [amd64, arm64] = ["linux/amd64", "linux/arm64"].map((text) => {
      const [os = "", architecture = ""] = text.split("/");
      return { os, architecture };
    });
    const name = `${registry.host}/multi/image:1`;
    await clean();
    await box.pull(name, { platform: amd64 });
    const other = `${registry.host}/multi/copy:1`;
    box.images.tag(box.images.resolve(name).id, parseReference(other));
    const [part] = (await box.push(other)).pushed;
    assert.equal(part?.partOf?.digest, index);
    assert.notEqual(part?.digest, index);
    await box.pull(name, { platform: arm64 });
    box.images.tag(box.images.resolve(name).id, parseReference(other));
    const [whole] = (await box.push(other)).pushed;
    assert.deepEqual([whole?.digest, whole?.partOf], [index, undefined]);
    const [squeezed] = (await box.push(other, { compression: "zstd" })).pushed;
    assert.notEqual(squeezed?.digest, index);
    await succeed("skopeo", [
      ...skopeoCopy,
      "--src-tls-verify=false",
      `docker://${other}`,
      `dir:${join(box.directory, "zstd")}`,
    ]);
    const [single] = (await box.push(other, { platform: arm64 })).pushed;
    assert.notEqual(single?.digest, index);
    await assert.rejects(box.push(other, { platform: { os: "linux", architecture: "s390x" } }), { kind: "not-found" });
  });
});

const skopeoCopy = ["copy", "--quiet", "--insecure-policy", "--dest-tls-verify=false", "--all"];

/** Gives the layers of an OCI layout's only image annotations. */
function annotateLayers(layout: string, digest: string, annotations: Readonly<Record<string, string>>): void {
  const path = (blob: string) => join(layout, "blobs/sha256", blob.slice("sha256:".length));
  const manifest = JSON.parse(readFileSync(path(digest), "utf8"));
  for (const layer of manifest.layers) layer.annotations = annotations;
  const bytes = Buffer.from(JSON.stringify(manifest));
  writeFileSync(path(digestOf(bytes)), bytes);
  const index = JSON.parse(readFileSync(join(layout, "index.json"), "utf8"));
  Object.assign(index.manifests[0], { digest: digestOf(bytes), size: bytes.length });
  writeFileSync(join(layout, "index.json"), JSON.stringify(index));
}

/** An OCI layout with an index of two platforms, tagged "multi". */
async function twoPlatforms(directory: string): Promise<{ layouts: string; index: string }> {
  mkdirSync(directory, { recursive: true });
  const layer = await tar([{ name: "file", body: "content" }]);
  const images = ["amd64", "arm64"].map((architecture) => ({ architecture, image: { layers: [layer], config: {} } }));
  return { layouts: directory, index: writeIndexLayout(directory, images) };
}
