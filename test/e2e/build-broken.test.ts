import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { before, suite, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { buildContext } from "../support/builds.ts";
import { busybox } from "../support/images.ts";
import { eventually } from "../support/process.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });

/** What a shell says in a container of the image. */
const says = (image: string, command: string) => box.ok("run", "--rm", "--network", "none", image, "sh", "-c", command);

/** How many files there are in a directory and below it, of the daemon's own. */
const count = (directory: string) => (existsSync(directory) ? readdirSync(directory).length : 0);

function manyFiles(directory: string, files: number): void {
  for (let i = 0; i < files; i++) {
    const at = join(directory, "many", String(i % 100));
    if (i < 100) mkdirSync(at, { recursive: true });
    writeFileSync(join(at, `file-${i}`), String(i));
  }
}

suite("builds that are disturbed", requires("busybox", "mknod"), () => {
  before(async () => box.load(await busybox(), "busybox:latest"));

  test("a directory with sockets, devices, pipes and names that are not UTF-8 is a context", async () => {
    const directory = buildContext(box, {
      Dockerfile: ["FROM busybox", "COPY odd /odd", "RUN ls /odd | wc -l >/count"],
      "odd/plain": "plain",
    });
    const socket = createServer().listen(join(directory, "odd/socket"));
    execFileSync("mknod", [join(directory, "odd/null"), "c", "1", "3"]);
    execFileSync("mkfifo", [join(directory, "odd/pipe")]);
    const name = Buffer.concat([Buffer.from(`${directory}/odd/n`), Buffer.from([0xff, 0xfe])]);
    writeFileSync(name, "not UTF-8");
    mkdirSync(Buffer.concat([name, Buffer.from("-d")]));
    await box.ok("build", "-t", "odd", directory);
    socket.close();
    assert.equal(
      await says("odd", "cat /count; cd /odd; stat -c %F null pipe; cat n??; printf %s n?? | xxd -p"),
      ["5", "character special file", "fifo", "not UTF-86efffe"].join("\n"),
    );
  });

  test("a context of 20,000 files, of which .dockerignore leaves a few", async () => {
    const directory = buildContext(box, { Dockerfile: "FROM busybox\nCOPY . /all\n" });
    manyFiles(directory, 20_000);
    await box.ok("build", "-t", "many", directory);
    assert.equal(await says("many", "find /all -type f | wc -l; cat /all/many/99/file-19999"), "20001\n19999");
    writeFileSync(join(directory, ".dockerignore"), "many/*\n!many/7*\n");
    await box.ok("build", "-t", "few", directory);
    assert.equal(
      await says("few", "ls /all/many | tr '\\n' ' '; find /all -name 'file-*' | wc -l"),
      "7 70 71 72 73 74 75 76 77 78 79 2200",
    );
  });

  test("a daemon that is killed at any moment of a build leaves nothing half done", async (t) => {
    const directory = buildContext(box, {
      Dockerfile: [
        "FROM busybox AS made",
        "COPY many /many",
        "RUN head -c 4000000 /dev/urandom >/big; cp -r /many /again",
        "FROM busybox",
        "COPY --from=made /again /again",
        "COPY --from=made /big /big",
        "RUN ls /again/* | grep -c file- >/count",
      ],
    });
    manyFiles(directory, 500);
    await box.ok("rmi", "-f", "many", "few", "odd");
    await box.ok("builder", "prune", "-af");
    const kept = () =>
      [box.layout.layers, join(box.layout.content, "blobs/sha256")].flatMap((one) => readdirSync(one).sort());
    const rest = kept();
    let finished = false;
    let delay = 100;
    for (let round = 0; round < 12 && !finished; round++) {
      const building = box.run(["build", "--no-cache", "-t", `killed:${round}`, directory]);
      // One that does not find a daemon yet would start one of its own beside ours.
      await eventually("the daemon has the build", () => count(join(box.layout.tmp, "builds")) > 0);
      await setTimeout(delay);
      await box.crash();
      const { status, stderr } = await building;
      const isThere = (await box.ok("images", "-q", `killed:${round}`)) !== "";
      finished = status === 0;
      // It may have been tagged just before the daemon was killed: then it is whole.
      if (isThere) assert.equal(await says(`killed:${round}`, "cat /count; wc -c </big"), "500\n4000000", stderr);
      else assert.notEqual(status, 0);
      const left = [join(box.layout.tmp, "builds"), box.layout.containers];
      await eventually(`what was left after ${delay} ms is gone`, () =>
        left.every((directory) => count(directory) === 0),
      );
      delay = Math.round(delay * 1.6);
    }
    t.diagnostic(`the last one was killed after ${delay} ms`);
    await box.ok("build", "-t", "whole", directory);
    assert.equal(await says("whole", "cat /count; ls /again | wc -l"), "500\n100");
    const images = (await box.ok("images", "--format", "{{.Repository}}:{{.Tag}}")).split("\n");
    await box.ok("rmi", "-f", ...images.filter((name) => /^(?:killed|whole):/.test(name)));
    await box.ok("builder", "prune", "-af");
    assert.deepEqual(kept(), rest, "all that was made can be removed");
  });
});
