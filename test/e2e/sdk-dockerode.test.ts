import assert from "node:assert/strict";
import { PassThrough, Readable } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { before, suite, test } from "node:test";
import Docker from "dockerode";
import { busybox, dockerArchive, tar } from "../support/images.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });

suite("dockerode", requires("busybox"), () => {
  const docker = new Docker({ socketPath: box.layout.apiSocket });

  before(async () => {
    const archive = new PassThrough();
    archive.end(await dockerArchive(await busybox(), ["busybox:latest"]));
    const progress = await docker.loadImage(archive);
    assert.match(await text(progress), /Loaded image: busybox:latest/);
  });

  test("ping, version, info, images", async () => {
    assert.equal((await docker.ping()).toString(), "OK");
    assert.equal((await docker.version()).Os, "linux");
    assert.equal((await docker.info()).OSType, "linux");
    const names = (await docker.listImages()).flatMap(({ RepoTags }) => RepoTags ?? []);
    assert.ok(names.includes("busybox:latest"));
    assert.equal((await docker.getImage("busybox").inspect()).RepoTags[0], "busybox:latest");
    assert.equal((await docker.getImage("busybox").history()).length, 1);
    await docker.getImage("busybox").tag({ repo: "other", tag: "v1" });
    await docker.getImage("other:v1").remove();
    await assert.rejects(docker.getImage("nosuch").inspect(), { statusCode: 404 });
  });

  test("run: output of both streams apart, and the exit code", async () => {
    const [out, err] = [new PassThrough(), new PassThrough()];
    const said = Promise.all([text(out), text(err)]);
    const options = { HostConfig: { AutoRemove: true }, Tty: false };
    const [result] = await docker.run("busybox", ["sh", "-c", "echo out; echo err >&2; exit 5"], [out, err], options);
    out.end();
    err.end();
    assert.equal(result.StatusCode, 5);
    assert.deepEqual(await said, ["out\n", "err\n"]);
  });

  test("attach with input, hijacked and half-closed; wait; logs; remove", async () => {
    const container = await docker.createContainer({
      ...{ Image: "busybox", Cmd: ["cat"], OpenStdin: true, StdinOnce: true, AttachStdin: true },
    });
    const stream = await container.attach({ stream: true, hijack: true, stdin: true, stdout: true, stderr: true });
    const out = new PassThrough();
    container.modem.demuxStream(stream, out, out);
    stream.once("end", () => out.end());
    const waited = container.wait({ condition: "next-exit" });
    await container.start();
    stream.write("to and fro");
    stream.end();
    assert.equal(await text(out), "to and fro");
    assert.equal((await waited).StatusCode, 0);
    assert.equal((await container.logs({ stdout: true, follow: false })).subarray(8).toString(), "to and fro");
    await container.remove();
    await assert.rejects(container.inspect(), { statusCode: 404 });
  });

  test("exec, files, stats, top, pause, rename, update, commit, events", async () => {
    const begin = Math.floor(Date.now() / 1000);
    const container = await docker.createContainer({ Image: "busybox", Cmd: ["sleep", "60"], name: "dockerode" });
    await container.start();
    const exec = await container.exec({ Cmd: ["cat"], AttachStdin: true, AttachStdout: true, AttachStderr: true });
    const stream = await exec.start({ hijack: true, stdin: true });
    const out = new PassThrough();
    docker.modem.demuxStream(stream, out, out);
    stream.once("end", () => out.end());
    stream.write("exec");
    stream.end();
    assert.equal(await text(out), "exec");
    assert.equal((await exec.inspect()).ExitCode, 0);

    await container.putArchive(await tar([{ name: "file", body: "content" }]), { path: "/tmp" });
    const archive = await buffer(await container.getArchive({ path: "/tmp/file" }));
    assert.equal(archive.toString("latin1", 512, 519), "content");
    assert.ok((await container.changes()).some(({ Path }: { Path: string }) => Path === "/tmp/file"));
    assert.ok((await buffer(await container.export())).length > 512);

    assert.ok((await container.stats({ stream: false })).memory_stats.usage > 0);
    assert.equal((await container.top()).Processes.length, 1);
    await container.pause();
    assert.equal((await container.inspect()).State.Status, "paused");
    await container.unpause();
    await container.update({ Memory: 64 << 20, MemorySwap: 128 << 20 });
    assert.equal((await container.inspect()).HostConfig.Memory, 64 << 20);
    await container.rename({ name: "renamed" });
    const committed = await container.commit({ repo: "committed", tag: "v1" });
    assert.equal((await docker.getImage("committed:v1").inspect()).Id, committed.Id);
    await docker.getImage("committed:v1").remove();
    await container.restart({ t: 0 });
    await container.kill();
    await container.remove({ force: true });
    const until = Math.floor(Date.now() / 1000) + 1;
    const events = await text(await docker.getEvents({ since: begin, until, filters: { type: ["container"] } }));
    for (const action of ["create", "start", "pause", "unpause", "rename", "commit", "restart", "kill", "destroy"]) {
      assert.match(events, new RegExp(`"Action":"${action}"`));
    }
  });

  test("build: progress, arguments, labels, an error", async () => {
    const dockerfile = ["FROM busybox", "ARG WHO", "RUN echo hello $WHO", "COPY f /f"].join("\n");
    const context = await tar([
      { name: "Dockerfile", body: dockerfile },
      { name: "f", body: "f" },
    ]);
    const follow = (stream: NodeJS.ReadableStream) =>
      new Promise<{ stream?: string; aux?: { ID: string }; error?: string }[]>((resolve, reject) => {
        docker.modem.followProgress(stream, (error, output) => (error ? reject(error) : resolve(output)));
      });
    const options = { t: "built:1", buildargs: { WHO: "dockerode" }, labels: { a: "b" } };
    const output = await follow(await docker.buildImage(Readable.from([context]), options));
    assert.ok(output.some(({ stream }) => stream === "hello dockerode\n"));
    const image = await docker.getImage("built:1").inspect();
    assert.equal(output.find(({ aux }) => aux !== undefined)?.aux?.ID, image.Id);
    assert.equal(image.Config.Labels.a, "b");
    const failing = await tar([{ name: "Dockerfile", body: "FROM busybox\nRUN false" }]);
    const failed = await follow(await docker.buildImage(Readable.from([failing]), {}));
    assert.match(failed.at(-1)?.error ?? "", /returned a non-zero code: 1/);
    await docker.getImage("built:1").remove();
  });

  test("volumes, networks, prune, disk usage", async () => {
    await docker.createVolume({ Name: "data", Labels: { a: "b" } });
    assert.deepEqual((await docker.getVolume("data").inspect()).Labels, { a: "b" });
    assert.equal((await docker.listVolumes()).Volumes.length, 1);
    await docker.getVolume("data").remove();
    const names = (await docker.listNetworks()).map(({ Name }) => Name).toSorted();
    assert.deepEqual(names, ["host", "none"]);
    assert.deepEqual((await docker.pruneContainers()).SpaceReclaimed, 0);
    assert.ok((await docker.df()).Images.length > 0);
  });
});
