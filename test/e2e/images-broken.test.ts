import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startDropper } from "../support/dropper.ts";
import { seeded } from "../support/endurance/random.ts";
import { type Front, type FrontAnswer, type FrontRequest, plain, startFront } from "../support/front.ts";
import { ImageBox } from "../support/image-store.ts";
import {
  configurationOf,
  descriptor,
  digestOf,
  imageWithBigLayer,
  type TestImage,
  writeOciLayout,
} from "../support/images.ts";
import { succeed } from "../support/process.ts";
import { type Registry, startRegistry } from "../support/registry.ts";
import { requires, requiresRoot } from "../support/requires.ts";

type Misbehaviour = (request: FrontRequest, count: number) => Promise<FrontAnswer>;

describe("registries and connections that break", {
  ...requires("docker-registry", "skopeo"),
  ...requiresRoot(),
}, () => {
  let box: ImageBox;
  let registry: Registry;
  let front: Front;
  let image: TestImage;
  let manifest: string;
  /** The big layer's blob. */
  let blob: string;
  let misbehave: Misbehaviour = ({ forward }) => forward();
  const counts = new Map<string, number>();

  before(async () => {
    box = new ImageBox();
    registry = await startRegistry(join(box.directory, "registry"));
    image = await imageWithBigLayer();
    const layout = join(box.directory, "image");
    manifest = writeOciLayout(layout, image);
    await registry.push(layout, "image:1");
    const stored = JSON.parse(readFileSync(join(layout, "blobs/sha256", manifest.slice(7)), "utf8"));
    blob = stored.layers[1].digest;
    front = await startFront(registry.host, (request) => {
      const count = (counts.get(request.path) ?? 0) + 1;
      counts.set(request.path, count);
      return misbehave(request, count);
    });
  });

  after(async () => {
    await front.close();
    await registry.close();
    await box.close();
  });

  /** Pulls from the front while it behaves so. */
  const pull = async (behaviour: Misbehaviour, options: Parameters<ImageBox["pull"]>[1] = {}) => {
    counts.clear();
    front.seen.length = 0;
    misbehave = behaviour;
    return await box.pull(`${front.host}/image:1`, options);
  };
  const clean = async () => {
    for (const { id, virtual } of box.images.list()) {
      if (virtual === undefined) await box.images.remove(id, { force: true, inUse: () => [] });
    }
    assert.deepEqual(box.files(), []);
  };
  const rangesAsked = () =>
    front.seen.filter((line) => line.includes(blob)).map((line) => /bytes=(\d+)-/.exec(line)?.[1]);
  const onBlob =
    (change: (answer: FrontAnswer, count: number) => FrontAnswer): Misbehaviour =>
    async (request, count) => {
      const answer = await request.forward();
      return request.path.endsWith(blob) && request.method === "GET" ? change(answer, count) : answer;
    };

  test("a blob is taken up where its connection broke", async () => {
    const { image: stored } = await pull(
      onBlob((answer, count) => (count < 3 ? { ...answer, cutAfter: 1_500_000 } : answer)),
    );
    assert.equal(stored.layers.length, 3);
    const [first, second, third] = rangesAsked();
    assert.equal(first, undefined);
    assert.ok(Number(second) > 0 && Number(third) > Number(second), `ranges ${rangesAsked()}`);
    await clean();
  });

  test("a server without ranges sends it all again, and it is verified all the same", async () => {
    const whole: Misbehaviour = async (request, count) => {
      if (!request.path.endsWith(blob)) return request.forward();
      const { range: _, ...headers } = request.headers;
      const answer = await fetch(`http://${registry.host}${request.path}`, {
        headers: { accept: headers.accept ?? "" },
      });
      const body = Buffer.from(await answer.arrayBuffer());
      return { status: 200, headers: {}, body, ...(count === 1 ? { cutAfter: 1_500_000 } : {}) };
    };
    await pull(whole);
    assert.equal(rangesAsked().length, 2);
    await clean();
  });

  test("connections that break at any offset, in both directions", async (context) => {
    let left = 16;
    const random = seeded(context);
    const endless = Number.POSITIVE_INFINITY;
    const dropper = await startDropper(registry.host, () => {
      if (left-- <= 0) return { up: endless, down: endless };
      return left % 4 === 0 ? { up: random.below(500), down: endless } : { up: endless, down: random.below(3_000_000) };
    });
    try {
      for (let tries = 0; ; tries++) {
        try {
          const { image: stored } = await box.pull(`${dropper.host}/image:1`);
          assert.equal(stored.layers.length, 3);
          break;
        } catch (error) {
          // Patience may end, always with the connection's error; nothing is visible, and the next pull goes on.
          assert.ok(tries < 8, String(error));
          assert.match(String(error), /ECONNRESET|EPIPE|HPE_|socket hang up|it ended after|connection|aborted/i);
          assert.throws(() => box.images.resolve(`${dropper.host}/image:1`), { kind: "not-found" });
        }
      }
      assert.ok(dropper.broken > 0);
    } finally {
      await dropper.close();
    }
    await clean();
  });

  test("an interrupted pull shows nothing, and the next one continues it, also after a restart", async () => {
    const failing = onBlob((answer, count) => (count === 1 ? { ...answer, cutAfter: 2_000_000 } : plain(503)));
    await assert.rejects(pull(failing), { kind: "unavailable" });
    assert.throws(() => box.images.resolve(`${front.host}/image:1`), { kind: "not-found" });
    assert.equal(box.images.list().length, 1);
    await box.restart();
    await pull(({ forward }) => forward());
    assert.ok(Number(rangesAsked()[0]) > 500_000, `ranges ${rangesAsked()}`);
    await clean();
  });

  test("what an interrupted pull has left goes at once when it is asked for, but what is used stays", async () => {
    const failing = onBlob((answer, count) => (count === 1 ? { ...answer, cutAfter: 2_000_000 } : plain(503)));
    await assert.rejects(pull(failing), { kind: "unavailable" });
    assert.notDeepEqual(box.files(), []);
    const bytes = await box.images.collectInterrupted();
    assert.ok(bytes > 500_000, `${bytes} bytes`);
    assert.deepEqual(box.files(), []);
    await pull(async (request) => {
      assert.equal(await box.images.collectInterrupted(), 0);
      return request.forward();
    });
    assert.equal(await box.images.collectInterrupted(), 0);
    await clean();
  });

  test("a cancelled pull is continued by the next", async () => {
    const abort = new AbortController();
    const slow = onBlob((answer) => ({ ...answer, cutAfter: 2_000_000 }));
    const cancelled = pull(
      async (request, count) => {
        if (request.path.endsWith(blob) && count > 1) await sleep(60_000, undefined, { ref: false });
        return slow(request, count);
      },
      { signal: abort.signal },
    );
    while (rangesAsked().length < 2) await sleep(10);
    abort.abort();
    await assert.rejects(cancelled, { kind: "cancelled" });
    await pull(({ forward }) => forward());
    assert.ok(Number(rangesAsked()[0]) > 500_000);
    await clean();
  });

  test("what a crash has damaged of an interrupted pull is fetched anew", async () => {
    const failing = onBlob((answer, count) => (count === 1 ? { ...answer, cutAfter: 2_000_000 } : plain(503)));
    await assert.rejects(pull(failing), { kind: "unavailable" });
    const ingests = join(box.layout.content, "ingest");
    for (const name of readdirSync(ingests)) writeFileSync(join(ingests, name), Buffer.alloc(1_000_000, "damage"));
    const { image: stored } = await pull(({ forward }) => forward());
    assert.equal(stored.layers.length, 3);
    assert.deepEqual(rangesAsked(), ["1000000", undefined]);
    await clean();
  });

  const broken: [what: string, behaviour: () => Misbehaviour, error: object][] = [
    [
      "a blob with a wrong byte",
      () =>
        onBlob((answer) => {
          const body = Buffer.from(answer.body);
          body[100_000] = (body[100_000] ?? 0) ^ 1;
          return { ...answer, body };
        }),
      { kind: "invalid" },
    ],
    [
      "a blob that is too long",
      () => onBlob((answer) => ({ ...answer, body: Buffer.concat([answer.body, Buffer.alloc(10)]) })),
      { kind: "invalid", message: /more than the promised/ },
    ],
    [
      "a manifest of another digest",
      () => async (request) => {
        const answer = await request.forward();
        return request.path.includes("/manifests/")
          ? { ...answer, body: Buffer.concat([answer.body, Buffer.from(" ")]) }
          : answer;
      },
      { kind: "invalid", message: /the bytes that came have the digest/ },
    ],
    [
      "a manifest without end",
      () => async (request) =>
        request.path.includes("/manifests/") ? plain(200, " ".repeat(9 * 1024 * 1024)) : request.forward(),
      { kind: "invalid", message: /larger than the limit/ },
    ],
    [
      "a config of other bytes",
      () => async (request) =>
        request.path.endsWith(digestOf(configurationOf(image))) ? plain(200, "{}") : request.forward(),
      { kind: "invalid", message: /the bytes that came are not the promised ones/ },
    ],
    [
      "a missing layer",
      () => async (request) => (request.path.endsWith(blob) ? plain(404) : request.forward()),
      { kind: "not-found", message: /fetch blob sha256:/ },
    ],
    [
      "a web server that is no registry",
      () => async () => plain(200, "<html>", { "content-type": "text/html" }),
      { kind: "invalid", message: /not valid JSON/ },
    ],
  ];
  for (const [what, behaviour, error] of broken) {
    test(`${what} is an error and leaves nothing`, async () => {
      await assert.rejects(pull(behaviour()), error);
      assert.deepEqual(box.files(), []);
      assert.equal(box.images.list().length, 1);
    });
  }

  test("a truncated blob is an error after some tries", async () => {
    const truncated = onBlob((answer) => ({ ...answer, body: answer.body.subarray(0, 1_000_000) }));
    await assert.rejects(
      pull(async (request, count) =>
        count > 1 && request.path.endsWith(blob) ? plain(416) : truncated(request, count),
      ),
      {
        kind: "unavailable",
      },
    );
    await pull(({ forward }) => forward());
    await clean();
  });

  test("429 is waited for as long as it says, and told when it does not end", async () => {
    await pull(async (request, count) => (count === 1 ? plain(429, {}, { "retry-after": "1" }) : request.forward()));
    await clean();
    const refused = plain(429, {
      errors: [{ code: "TOOMANYREQUESTS", message: "You have reached your pull rate limit" }],
    });
    await assert.rejects(
      pull(async () => refused),
      { kind: "unavailable", message: /toomanyrequests: You have reached your pull rate limit/ },
    );
  });

  test("a config that lies about its layers is an error and leaves nothing", async () => {
    const store = new Map<string, Buffer>();
    const put = (mediaType: string, bytes: Buffer) => {
      store.set(digestOf(bytes), bytes);
      return descriptor(mediaType, bytes);
    };
    const layers = image.layers.map((layer) => put("application/vnd.oci.image.layer.v1.tar", Buffer.from(layer)));
    const lie = { ...image, layers: [...image.layers.slice(0, 2), Buffer.from("not the layer")] };
    const config = put("application/vnd.oci.image.config.v1+json", configurationOf(lie));
    const document = Buffer.from(JSON.stringify({ schemaVersion: 2, config, layers }));
    const serve: Misbehaviour = async ({ path }) => {
      if (path.includes("/manifests/")) return { status: 200, headers: {}, body: document };
      const bytes = store.get(path.split("/").at(-1) ?? "");
      return bytes === undefined ? plain(404) : { status: 200, headers: {}, body: bytes };
    };
    await assert.rejects(pull(serve), { kind: "invalid", message: /what was unpacked has the digest/ });
    assert.deepEqual(box.files(), []);
  });

  test("a full disk is an error that says so and leaves nothing", async () => {
    const directory = join(box.directory, "small");
    mkdirSync(directory);
    await succeed("mount", ["-t", "tmpfs", "-o", "size=6m", "sampan-test", directory]);
    const small = new ImageBox({ directory });
    misbehave = ({ forward }) => forward();
    try {
      const full = { kind: "exhausted", message: /no space left|ENOSPC/i };
      await assert.rejects(small.pull(`${front.host}/image:1`), full);
      assert.deepEqual(small.files(), []);
      assert.equal(small.images.list().length, 1);
    } finally {
      await small.end();
      await succeed("umount", [directory]);
    }
  });
});
