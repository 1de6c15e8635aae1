import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { before, suite, test } from "node:test";
import { buildContext, classicBuild } from "../support/builds.ts";
import { busybox } from "../support/images.ts";
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

  test("a stage may be called as what every object has", async () => {
    const directory = buildContext(box, {
      Dockerfile: ["FROM busybox AS constructor", "RUN touch /f", "FROM scratch", "COPY --from=constructor /f /"],
    });
    const { status, stderr } = await classicBuild(box, directory, "-q");
    assert.equal(status, 0, stderr);
  });

  test("nothing of a build that has ended lies about", () => {
    assert.deepEqual(namesIn(join(box.layout.root, "tmp", "builds")), []);
    assert.deepEqual(namesIn(join(box.layout.root, "containers")), []);
  });
});
