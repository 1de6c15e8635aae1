import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, suite, test } from "node:test";
import { buildContext, classicBuild } from "../support/builds.ts";
import { dockerEnv, dockerOf } from "../support/docker.ts";
import { busybox } from "../support/images.ts";
import { processesOf } from "../support/leaks.ts";
import { eventually } from "../support/process.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });
const { ok } = dockerOf(box);
const context = (files: Parameters<typeof buildContext>[1]) => buildContext(box, files);
const build = (directory: string, ...args: string[]) => classicBuild(box, directory, ...args);

async function built(directory: string, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await build(directory, ...args);
  assert.equal(status, 0, `${stdout}${stderr}`);
  return stdout;
}

const inspect = async (name: string) => JSON.parse(await ok("image", "inspect", name))[0];

suite("docker build", requires("docker", "busybox"), () => {
  before(async () => box.load(await busybox({ Labels: { base: "1" } }), "busybox:latest"));

  test("files, commands and configuration become an image that runs", async () => {
    const directory = context({
      Dockerfile: [
        "FROM busybox",
        "ARG WHO=nobody",
        "ENV GREETING=hello",
        "WORKDIR /app",
        "COPY greeting.txt dir ./",
        'RUN echo "$GREETING $WHO" > said && cat greeting.txt && rm /etc/group',
        "USER tester",
        "EXPOSE 80 8000-8001/udp",
        "VOLUME /data",
        'LABEL a="b c"',
        'CMD ["cat", "said", "greeting.txt", "inside"]',
      ].join("\n"),
      "greeting.txt": "good morning\n",
      "dir/inside": "in a directory\n",
    });
    const output = await built(directory, "-t", "first", "--build-arg", "WHO=world");
    assert.match(output, /Step 1\/11 : FROM busybox\n/);
    assert.match(output, /good morning\n/);
    assert.match(output, /Successfully built [0-9a-f]{12}\nSuccessfully tagged first:latest\n$/);
    assert.equal(await ok("run", "--rm", "first"), "hello world\ngood morning\nin a directory");
    assert.equal(
      await ok("run", "--rm", "first", "sh", "-c", "ls /etc; pwd; id -u"),
      "hostname\nhosts\nmtab\npasswd\nresolv.conf\n/app\n1000",
    );
    const { Config } = await inspect("first");
    assert.deepEqual(Config.ExposedPorts, { "80/tcp": {}, "8000/udp": {}, "8001/udp": {} });
    assert.deepEqual(Config.Labels, { base: "1", a: "b c" });
    assert.deepEqual(Config.Env, ["PATH=/bin:/usr/bin", "GREETING=hello"]);
    assert.deepEqual(Config.Volumes, { "/data": {} });
  });

  test("what has not changed is not done again, wherever and whenever its files come from", async () => {
    const files = { Dockerfile: "FROM busybox\nCOPY a /a\nRUN date > /when", a: "a\n" };
    const first = context(files);
    await built(first, "-t", "one");
    const second = context(files);
    utimesSync(join(second, "a"), 1, 1);
    const output = await built(second, "-t", "two");
    assert.equal(output.match(/Using cache/g)?.length, 2, output);
    assert.equal((await inspect("one")).Id, (await inspect("two")).Id);
    writeFileSync(join(second, "a"), "b\n");
    assert.doesNotMatch(await built(second, "-t", "three"), /Using cache/);
    assert.doesNotMatch(await built(first, "-t", "four", "--no-cache"), /Using cache/);
  });

  test("stages: those that are needed, and files of one in another", async () => {
    const directory = context({
      Dockerfile: [
        "FROM busybox AS never",
        "RUN false",
        "FROM busybox AS make",
        "RUN mkdir -p /out/bin && echo tool > /out/bin/tool && ln -s bin/tool /out/link && chown 5:6 /out/bin/tool",
        "FROM scratch",
        "COPY --from=make /out /",
        "COPY --from=busybox:latest /bin/busybox /bin/sh",
        'ENTRYPOINT ["/bin/sh", "-c"]',
        'CMD ["cat /link"]',
      ].join("\n"),
    });
    await built(directory, "-t", "stages");
    assert.equal(await ok("run", "--rm", "stages"), "tool");
    assert.equal((await inspect("stages")).RootFS.Layers.length, 2);
  });

  test("stages that do not need each other run side by side", async () => {
    const wait = (own: string, other: string) =>
      `RUN --mount=type=cache,id=meet,target=/meet touch /meet/${own}; until [ -e /meet/${other} ]; do sleep 0.05; done; touch /${own}`;
    const directory = context({
      Dockerfile: [
        ...["FROM busybox AS a", wait("a", "b"), "FROM busybox AS b", wait("b", "a")],
        ...["FROM scratch", "COPY --from=a /a /", "COPY --from=b /b /"],
      ],
    });
    await built(directory, "-t", "beside");
    assert.equal((await inspect("beside")).RootFS.Layers.length, 2);
  });

  test("a command that fails ends the build with its status, and nothing is left of it", async () => {
    const directory = context({ Dockerfile: "FROM busybox\nRUN echo before; exit 7\nRUN echo after" });
    const { status, stdout, stderr } = await build(directory, "-t", "failed");
    assert.equal(status, 7, stdout);
    assert.match(stdout, /Step 2\/3 : RUN echo before; exit 7\n(.*\n)*before\n/);
    assert.match(stderr, /The command '\/bin\/sh -c echo before; exit 7' returned a non-zero code: 7/);
    assert.deepEqual(readdirSync(box.layout.containers), []);
  });

  test("errors show their place in the Dockerfile, and the stage that may have been meant", async () => {
    const told = async (...lines: string[]) => {
      const directory = context({ Dockerfile: lines });
      const tar = execFileSync("tar", ["-C", directory, "-c", "."]);
      const { text } = await box.api("POST", "/build?progress=events", tar, { "Content-Type": "application/x-tar" });
      return JSON.parse(text.trim().split("\n").at(-1) ?? "").message as string;
    };
    assert.match(
      await told("FROM busybox", "", "RUN exit 3"),
      /^Dockerfile:3:1: process .* exit code: 3\n.*\n?.*RUN exit 3/s,
    );
    assert.match(await told("FROM localhost:1/none", "RUN x"), /^Dockerfile:1:1: /);
    const misspelt = await told(
      "FROM busybox AS two",
      "FROM scratch",
      "COPY --from=localhost:1/tow / /",
      "COPY --from=tow / /",
    );
    assert.match(misspelt, /^Dockerfile:[34]:1: .*(no stage is called tow, did you mean two\?|localhost:1)/s);
  });

  test("system df and prune tell of the cache; what an image needs stays", async () => {
    const directory = context({ Dockerfile: "FROM busybox\nRUN head -c 100000 /dev/zero > /zeros" });
    await built(directory, "-t", "cached");
    const { json } = await box.api("GET", "/system/df?type=build-cache");
    const { BuildCache } = json as { BuildCache: { Size: number; Shared: boolean; Description: string }[] };
    const entry = BuildCache.find(({ Description }) => Description.includes("/zeros"));
    assert.deepEqual({ Size: entry?.Size, Shared: entry?.Shared }, { Size: 100000, Shared: true });
    await ok("rmi", "cached");
    assert.match(await built(directory, "-t", "cached"), /Using cache/);
    await ok("rmi", "cached");
    const pruned = await box.api("POST", "/build/prune?all=1");
    const { SpaceReclaimed, CachesDeleted } = pruned.json as { SpaceReclaimed: number; CachesDeleted: string[] };
    assert.ok(SpaceReclaimed >= 100000 && CachesDeleted.length > 0, pruned.text);
    assert.deepEqual((await box.api("GET", "/system/df?type=build-cache")).json, {
      ...{ LayersSize: 0, Images: null, Containers: null, Volumes: null, BuildCache: [] },
    });
    assert.doesNotMatch(await built(directory, "-t", "cached"), /Using cache/);
  });

  test("a client that leaves ends its build, and a daemon that is killed leaves nothing of one", async () => {
    const directory = context({ Dockerfile: "FROM busybox\nRUN echo begun; sleep 1000" });
    const env = { ...dockerEnv(box), DOCKER_BUILDKIT: "0" };
    const cut = spawn("docker", ["build", directory], { env, stdio: ["ignore", "pipe", "ignore"] });
    let said = "";
    cut.stdout.on("data", (chunk) => {
      said += chunk;
    });
    await eventually("the command has begun", () => said.includes("\nbegun\n"), 60_000);
    cut.kill("SIGINT");
    await eventually("the command has ended", () => readdirSync(box.layout.containers).length === 0);
    const building = classicBuild(box, directory);
    const isSleep = ({ command }: { command: string }) => command === "sleep 1000";
    await eventually("the command runs", () => processesOf(box.layout).some(isSleep), 60_000);
    await box.crash();
    assert.notEqual((await building).status, 0);
    await eventually("nothing is left of it", () => readdirSync(box.layout.containers).length === 0);
    assert.ok(!processesOf(box.layout).some(isSleep));
  });
});
