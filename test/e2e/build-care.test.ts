import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { before, suite, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { buildContext, classicBuild } from "../support/builds.ts";
import { busybox } from "../support/images.ts";
import { processesOf } from "../support/leaks.ts";
import { eventually } from "../support/process.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });

function namesIn(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}

suite("what builds have in common, and what they leave", requires("busybox", "tar"), () => {
  before(async () => box.load(await busybox(), "busybox:latest"));

  test("locked caches: twice in one command, and by two commands in opposite orders", async () => {
    const cache = (id: string, target: string) => `--mount=type=cache,sharing=locked,id=${id},target=${target}`;
    const directory = buildContext(box, {
      Dockerfile: [
        "FROM busybox AS one",
        `RUN ${cache("care-a", "/x")} ${cache("care-b", "/y")} ${cache("care-a", "/z")} touch /x/f; sleep 0.3; test -e /z/f; touch /one`,
        "FROM busybox AS two",
        `RUN ${cache("care-b", "/y")} ${cache("care-a", "/x")} sleep 0.3; touch /two`,
        "FROM scratch",
        "COPY --from=one /one /",
        "COPY --from=two /two /",
      ],
    });
    const { status, stderr } = await classicBuild(box, directory, "-q");
    assert.equal(status, 0, stderr);
  });

  test("a cache that several commands want for the first time is made once", async () => {
    const stages = [..."abcdef"];
    const mount = "--mount=type=cache,id=care-new,from=seed,source=/seed,target=/cache";
    const directory = buildContext(box, {
      Dockerfile: [
        "FROM busybox AS seed",
        "RUN mkdir /seed && touch /seed/first",
        ...stages.flatMap((name) => [
          `FROM busybox AS ${name}`,
          `RUN ${mount} test -e /cache/first && touch /cache/${name} && sleep 0.2 && test -e /cache/${name} && touch /${name}`,
        ]),
        "FROM scratch",
        ...stages.map((name) => `COPY --from=${name} /${name} /`),
      ],
    });
    const { status, stderr } = await classicBuild(box, directory, "-q");
    assert.equal(status, 0, stderr);
  });

  test("wildcards behind links, many at a time", async () => {
    const names = Array.from({ length: 20 }, (_, index) => `d${index}`);
    const directory = buildContext(box, {
      Dockerfile: [
        "FROM busybox AS from",
        `RUN mkdir /real /all && for n in ${names.join(" ")}; do mkdir /real/$n && echo $n > /real/$n/$n.txt && ln -s ../real/$n /all/$n; done`,
        "FROM busybox",
        "COPY --from=from /all/d*/*.txt /got/",
        `RUN for n in ${names.join(" ")}; do test "$(cat /got/$n.txt)" = $n || exit 1; done`,
      ],
    });
    const { status, stderr } = await classicBuild(box, directory, "-q");
    assert.equal(status, 0, stderr);
  });

  test("files are not sent to a client of Docker's lines, and nothing is built for it", async () => {
    const directory = buildContext(box, { Dockerfile: ["FROM busybox", "RUN touch /never"] });
    const tar = execFileSync("tar", ["-C", directory, "-c", "."]);
    const outputs = encodeURIComponent(JSON.stringify([{ Type: "tar" }]));
    const { status, text } = await box.api("POST", `/build?outputs=${outputs}`, tar);
    assert.equal(status, 501, text);
    assert.match(text, /sampan build --output/);
  });

  test("output that nobody reads holds the command back, and not the daemon's memory", async () => {
    const directory = buildContext(box, { Dockerfile: ["FROM busybox", "RUN yes | head -c 300000001; touch /done"] });
    const tar = execFileSync("tar", ["-C", directory, "-c", "."]);
    const headers = { "content-type": "application/x-tar", "content-length": tar.length };
    const path = "/build?progress=events&t=care-slow";
    const { pid } = box;
    const memory = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
    const before = memory();
    const client = request({ socketPath: box.layout.apiSocket, method: "POST", path, headers });
    client.end(tar);
    const [answer] = (await once(client, "response")) as [IncomingMessage];
    answer.once("readable", () => undefined);
    // What the processes of the command have written so far; "" before and after it.
    const written = () =>
      processesOf(box.layout)
        .filter(({ command }) => command.includes("head -c 300000001"))
        .map(({ pid }) => /^wchar: .*$/m.exec(readFileSync(`/proc/${pid}/io`, "utf8")))
        .join();
    await eventually("the command is held back", async () => {
      const [then, now] = [written(), await setTimeout(500, undefined).then(written)];
      return then !== "" && then === now;
    });
    assert.ok(memory() - before < 64, `${before} MB, then ${memory()} MB`);
    assert.equal((await box.api("GET", "/images/care-slow/json")).status, 404);
    answer.destroy();
    await eventually("the command is ended", () => namesIn(join(box.layout.root, "containers")).length === 0);
  });

  test("results that are replaced leave nothing", async () => {
    const directory = buildContext(box, {
      Dockerfile: [
        "FROM busybox AS made",
        "RUN cat /proc/sys/kernel/random/uuid > /f; echo same > /g",
        "FROM scratch",
        "COPY --from=made /g /",
      ],
    });
    const layersAfterAnother = async () => {
      const { status, stderr } = await classicBuild(box, directory, "-q", "-t", "care-replaced", "--no-cache");
      assert.equal(status, 0, stderr);
      await box.api("POST", "/images/prune");
      return namesIn(join(box.layout.root, "layers")).length;
    };
    const before = await layersAfterAnother();
    await layersAfterAnother();
    assert.equal(await layersAfterAnother(), before);
  });

  test("the network that a command has is part of what it is known by", async () => {
    const directory = buildContext(box, {
      Dockerfile: ["FROM busybox", "RUN cat /proc/sys/kernel/random/uuid > /f"],
    });
    const id = async (...args: string[]) => (await classicBuild(box, directory, "-q", ...args)).stdout;
    const first = await id();
    assert.equal(await id(), first);
    assert.notEqual(await id("--network", "none"), first);
  });

  test("a URL of a Dockerfile, and of an archive", async () => {
    const directory = buildContext(box, { Dockerfile: ["FROM busybox", "COPY f /"], f: "far" });
    const tar = execFileSync("tar", ["-C", directory, "-cz", "."]);
    const server = createServer((asked, response) =>
      response.end(asked.url === "/t" ? tar : "FROM busybox\nRUN true\n"),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      for (const name of ["t", "text"]) {
        const { status, text } = await box.api("POST", `/build?q=1&remote=${encodeURIComponent(`${url}/${name}`)}`);
        assert.equal(status, 200, text);
        assert.match(text, /sha256:/);
      }
    } finally {
      server.close();
    }
  });

  test("a stage may be called as what every object has", async () => {
    const directory = buildContext(box, {
      Dockerfile: ["FROM busybox AS constructor", "RUN touch /f", "FROM scratch", "COPY --from=constructor /f /"],
    });
    const { status, stderr } = await classicBuild(box, directory, "-q");
    assert.equal(status, 0, stderr);
  });

  test("nothing of a build that has ended lies about", async () => {
    // The end of a build whose client has left is nobody's to wait for.
    for (const directory of [join(box.layout.root, "tmp", "builds"), join(box.layout.root, "containers")])
      await eventually(`${directory} is empty`, () => namesIn(directory).length === 0);
  });
});
