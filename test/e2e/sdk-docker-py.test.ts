import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { suite, test } from "node:test";
import { dockerEnv } from "../support/docker.ts";
import { busybox, dockerArchive } from "../support/images.ts";
import { succeed } from "../support/process.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });
const script = join(import.meta.dirname, "../support/docker-py.py");

/** Debian's own Python: the one that its packages are for. */
const python = "/usr/bin/python3";

function needs(): { skip?: string } {
  const { status } = spawnSync(python, ["-c", "import docker"]);
  return status === 0 ? requires("busybox") : { skip: "needs python3-docker (.ci/run names the packages)" };
}

suite("docker-py", needs(), () => {
  test("containers, exec over a socket, files, statistics, images, volumes, errors by their classes", async () => {
    const archive = await dockerArchive(await busybox(), ["busybox:latest"]);
    const { status, text } = await box.api("POST", "/images/load?quiet=1", archive);
    assert.equal(status, 200, text);
    assert.match(await succeed(python, [script], { env: dockerEnv(box) }), /"docker-py"/);
  });
});
