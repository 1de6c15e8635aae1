import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { before, suite, test } from "node:test";
import { buildContext } from "../support/builds.ts";
import { busybox } from "../support/images.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });

interface Event {
  readonly type: string;
  readonly id?: string;
  readonly message?: string;
  readonly data?: string;
  readonly cached?: boolean;
  readonly metadata?: Record<string, unknown>;
}

/** A build over the API as our own command line asks for it; its events. */
async function build(directory: string, query: Record<string, string> = {}, settings?: object): Promise<Event[]> {
  const tar = execFileSync("tar", ["-C", directory, "-c", "."]);
  const header = settings && Buffer.from(JSON.stringify(settings)).toString("base64url");
  const headers = { "content-type": "application/x-tar", ...(header && { "x-sampan-build": header }) };
  const { text } = await box.api(
    "POST",
    `/build?${new URLSearchParams({ progress: "events", ...query })}`,
    tar,
    headers,
  );
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Event);
}

const base64 = (text: string) => Buffer.from(text).toString("base64");
const outputOf = (events: readonly Event[]) => events.map(({ data = "" }) => data).join("");

/** The id of the image that a build has made. */
function idOf(events: readonly Event[]): string {
  const last = events.at(-1);
  assert.equal(last?.type, "result", JSON.stringify(last));
  return last?.id ?? "";
}

suite("builds as sampan's own command line asks for them", requires("busybox", "tar"), () => {
  before(async () => box.load(await busybox(), "busybox:latest"));

  test("secrets: a file, a variable, owner and mode; nothing of them in image, cache key or log", async () => {
    const directory = buildContext(box, {
      Dockerfile: [
        "FROM busybox",
        "RUN --mount=type=secret,id=token cat /run/secrets/token | rev && stat -c %a /run/secrets/token",
        "RUN --mount=type=secret,id=token,target=/etc/deep/t,uid=7,mode=0440 stat -c '%a %u' /etc/deep/t",
        'RUN --mount=type=secret,id=token,env=TOKEN echo "$TOKEN" | rev; test ! -e /etc/deep',
        "RUN --mount=type=secret,id=other test ! -e /run/secrets/other",
      ],
    });
    const events = await build(directory, {}, { secrets: { token: base64("s3cret!") } });
    assert.equal(outputOf(events), "!terc3s400\n440 7\n!terc3s\n");
    const inspected = await box.api("GET", `/images/${idOf(events)}/history`);
    assert.doesNotMatch(inspected.text + box.logs(), /s3cret/);
    const again = await build(directory, {}, { secrets: { token: base64("another") } });
    assert.equal(again.filter(({ cached }) => cached).length, 4);
    const required = buildContext(box, { Dockerfile: ["FROM busybox", "RUN --mount=type=secret,id=no,required true"] });
    assert.match((await build(required)).at(-1)?.message ?? "", /secret no: not found/);
  });

  test("agents of ssh are seen where their clients look for them", async () => {
    const directory = buildContext(box, {
      Dockerfile: ["FROM busybox", 'RUN --mount=type=ssh test -S "$SSH_AUTH_SOCK" && echo $SSH_AUTH_SOCK'],
    });
    const socket = join(box.directory, "agent.sock");
    const agent = createServer().listen(socket);
    try {
      const events = await build(directory, {}, { ssh: { default: socket } });
      assert.equal(outputOf(events), "/run/buildkit/ssh_agent.0\n");
    } finally {
      agent.close();
    }
  });

  test("settings and other contexts come in the context", async () => {
    const directory = buildContext(box, {
      ".sampan-build.json": JSON.stringify({
        secrets: { s: base64("in a file") },
        contexts: { extra: "local", base: "docker-image://busybox" },
      }),
      ".sampan-context/extra/f": "of another context\n",
      Dockerfile: [
        ...["FROM base", "COPY --from=extra f /", "COPY . /all"],
        "RUN --mount=type=secret,id=s cat /f /run/secrets/s; ls -A /all",
      ],
    });
    assert.equal(outputOf(await build(directory, { settings: "tar" })), "of another context\nin a fileDockerfile\n");
  });

  test("the same inputs give the same image, with SOURCE_DATE_EPOCH and rewritten times", async () => {
    const directory = buildContext(box, {
      Dockerfile: ["FROM busybox", "COPY f d /made/", "WORKDIR /new", "RUN date +%s%N > /dev/null; mkdir x; touch x/y"],
      ...{ f: "f", "d/g": "g" },
    });
    const query = {
      nocache: "1",
      buildargs: JSON.stringify({ SOURCE_DATE_EPOCH: "1000000000" }),
      outputs: JSON.stringify([{ Type: "image", Attrs: { "rewrite-timestamp": "true" } }]),
    };
    const first = idOf(await build(directory, query));
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const copy = join(box.directory, "elsewhere");
    mkdirSync(copy);
    execFileSync("cp", ["-r", `${directory}/.`, copy]);
    assert.equal(idOf(await build(copy, query)), first);
    const { json } = await box.api("GET", `/images/${first}/json`);
    assert.equal((json as { Created: string }).Created, "2001-09-09T01:46:40.000Z");
    assert.notEqual(idOf(await build(directory, { nocache: "1" })), first);
  });

  test("the files of the result, lints, and what is refused", async () => {
    const directory = buildContext(box, { Dockerfile: ["FROM scratch", "COPY f /dir/f"], f: "content" });
    const tar = execFileSync("tar", ["-C", directory, "-c", "."]);
    const outputs = encodeURIComponent(JSON.stringify([{ Type: "tar" }]));
    const answer = await box.api("POST", `/build?progress=events&outputs=${outputs}`, tar);
    const line = '{"type":"output","output":"tar"}\n';
    const archive = join(box.directory, "files.tar");
    writeFileSync(archive, answer.bytes.subarray(answer.bytes.indexOf(line) + line.length));
    assert.equal(execFileSync("tar", ["-xOf", archive, "dir/f"], { encoding: "utf8" }), "content");
    writeFileSync(join(directory, "Dockerfile"), "from busybox as Base\nRUN exit 1\n");
    const checked = await build(directory, { call: "check" });
    assert.ok(
      checked.some(({ type }) => type === "lint") && checked.at(-1)?.type === "result",
      JSON.stringify(checked),
    );
    assert.deepEqual(Object.keys((await build(directory, { call: "targets" })).at(-1)?.metadata ?? {}), ["targets"]);
    for (const [query, why] of [
      ["version=2", /DOCKER_BUILDKIT=0/],
      ["squash=1", /squash/],
      ["cacheto=%5B%22x%22%5D", /say type=registry,ref=x/],
      ["cachefrom=%5B%22type%3Dgha%22%5D", /build cache from type=gha/],
      [`outputs=${encodeURIComponent('[{"Type":"oci"}]')}`, /oci/],
      [`outputs=${encodeURIComponent('[{"Type":"image","Attrs":{"compression":"estargz"}}]')}`, /compression/],
    ] as const) {
      const { status, text } = await box.api("POST", `/build?${query}`, tar);
      assert.ok(status >= 400, query);
      assert.match(text, why);
    }
  });
});
