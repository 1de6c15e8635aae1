import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { engineBox } from "../support/engine.ts";
import { eventually } from "../support/process.ts";
import { requires, requiresRoot } from "../support/requires.ts";

const needs = { ...requires("busybox"), ...requiresRoot() };

suite("containers", needs, () => {
  const box = engineBox();

  test("output, exit code, state and events of a container's life", async () => {
    const id = await box.create(["sh", "-c", "echo out; echo err >&2; exit 3"], { name: "life" });
    assert.equal(box.engine.containers.get("life").state.status, "created");
    const { result } = box.engine.containers.wait(id.slice(0, 12), { condition: "next-exit" });
    await box.engine.containers.start("/life");
    assert.deepEqual(await result, { exitCode: 3 });
    assert.equal(await box.log(id), "out\n");
    assert.equal(await box.log(id, "stderr"), "err\n");
    const { state, statusText, path, args } = box.engine.containers.get(id);
    assert.deepEqual([state.status, state.exitCode, state.pid], ["exited", 3, 0]);
    assert.ok(state.finishedAt > state.startedAt);
    assert.match(statusText, /^Exited \(3\) Less than a second ago$/);
    assert.deepEqual([path, ...args], ["sh", "-c", "echo out; echo err >&2; exit 3"]);
    await box.engine.containers.remove(id);
    assert.throws(() => box.engine.containers.get(id), { kind: "not-found", message: `No such container: ${id}` });
    assert.deepEqual(box.actions(id), ["create", "start", "die", "destroy"]);
  });

  test("environment, user, directory and hostname", async () => {
    const { stdout } = await box.run(["sh", "-c", "hostname; id; pwd; echo $HOME $HOSTNAME $A; cat /etc/hostname"], {
      config: { Hostname: "box", User: "tester", WorkingDir: "/tmp", Env: ["A=1"] },
    });
    const [hostname, id, pwd, env, file] = stdout.split("\n");
    assert.deepEqual([hostname, pwd, env, file], ["box", "/tmp", "/home/tester box 1", "box"]);
    assert.equal(id, "uid=1000(tester) gid=1000(tester) groups=1000(tester),2000(extra)");
  });

  test("a taken name, an unknown image and an unknown container", async () => {
    const id = await box.create(["true"], { name: "taken" });
    const text = `Conflict. The container name "/taken" is already in use by container "${id}".`;
    await assert.rejects(box.create(["true"], { name: "taken" }), ({ message }) => message.startsWith(text));
    await assert.rejects(box.create(["true"], { config: { Image: "nothing" } }), {
      kind: "not-found",
      message: "No such image: nothing:latest",
    });
    assert.throws(() => box.engine.containers.wait("nobody"), { kind: "not-found" });
    await box.engine.containers.remove("taken");
  });

  test("what cannot be executed: Docker's exit codes and words", async () => {
    const cases: readonly (readonly [string, number, RegExp])[] = [
      ["nosuch", 127, /exec: "nosuch": executable file not found in \$PATH/],
      ["/nosuch", 127, /exec: "\/nosuch": no such file or directory/],
      ["/etc/passwd", 126, /exec: "\/etc\/passwd": permission denied/],
    ];
    for (const [command, exitCode, text] of cases) {
      const id = await box.create([command]);
      await assert.rejects(box.engine.containers.start(id), { kind: "invalid", message: text });
      const { state } = box.engine.containers.get(id);
      assert.deepEqual([state.status, state.exitCode], ["created", exitCode]);
      assert.match(state.error, text);
      await box.engine.containers.remove(id);
    }
  });

  test("a user that does not exist", async () => {
    const id = await box.create(["true"], { config: { User: "nobody-here" } });
    await assert.rejects(
      box.engine.containers.start(id),
      /unable to find user nobody-here: no matching entries in passwd/,
    );
    await box.engine.containers.remove(id);
  });

  test("stop: its signal, then SIGKILL; kill; and both when nothing runs", async () => {
    const trap = ["sh", "-c", "trap 'exit 7' TERM; trap 'echo hup' HUP; echo ready; while :; do sleep 0.01; done"];
    const { containers } = box.engine;
    const polite = await box.start(trap);
    await logged(polite, "ready\n");
    await assert.rejects(containers.start(polite), { kind: "not-modified" });
    await assert.rejects(containers.remove(polite), { kind: "conflict", message: /container is running/ });
    await containers.kill(polite, "HUP");
    await containers.stop(polite);
    assert.equal(containers.get(polite).state.exitCode, 7);
    await assert.rejects(containers.stop(polite), { kind: "not-modified" });
    await assert.rejects(containers.kill(polite), { kind: "conflict", message: /is not running/ });
    assert.deepEqual(box.actions(polite), ["create", "start", "kill", "kill", "die", "stop"]);
    const deaf = await box.start(["sleep", "1000"]);
    await containers.stop(deaf, { timeout: 0 });
    assert.equal(containers.get(deaf).state.exitCode, 137);
    await containers.remove(deaf);
    await containers.remove(polite);
  });

  test("it can be started again and keeps its files; restart", async () => {
    const { containers } = box.engine;
    const id = await box.start(["sh", "-c", "echo x >> /count; wc -l < /count; exec sleep 1000"]);
    await logged(id, "1\n");
    await containers.restart(id, { timeout: 0 });
    await logged(id, "1\n2\n");
    await containers.kill(id);
    await containers.start(id);
    await logged(id, "1\n2\n3\n");
    await box.engine.containers.stop(id, { timeout: 0 });
    assert.equal(await box.log(id), "1\n2\n3\n");
    await containers.remove(id);
  });

  test("--rm removes by itself, and `removed` waits for that", async () => {
    const id = await box.create(["sh", "-c", "exit 5"], { host: { AutoRemove: true } });
    const { result } = box.engine.containers.wait(id, { condition: "removed" });
    await box.engine.containers.start(id);
    assert.equal((await result).exitCode, 5);
    assert.throws(() => box.engine.containers.get(id), { kind: "not-found" });
  });

  test("a restart is no end: --rm waits for the real one", async () => {
    const id = await box.start(["sleep", "1000"], { host: { AutoRemove: true } });
    await box.engine.containers.restart(id, { timeout: 0 });
    assert.ok(box.engine.containers.get(id).state.running);
    const { result } = box.engine.containers.wait(id, { condition: "removed" });
    await box.engine.containers.kill(id);
    assert.equal((await result).exitCode, 137);
  });

  test("a container that fails to start and had --rm is gone, too", async () => {
    const id = await box.create(["nosuch"], { host: { AutoRemove: true } });
    const { result } = box.engine.containers.wait(id, { condition: "removed" });
    await assert.rejects(box.engine.containers.start(id), { kind: "invalid" });
    assert.equal((await result).exitCode, 127);
  });

  test("restart policy: on-failure tries as often as it may", async () => {
    const { containers } = box.engine;
    const policy = { Name: "on-failure", MaximumRetryCount: 2 };
    const id = await box.start(["sh", "-c", "echo try; exit 1"], { host: { RestartPolicy: policy } });
    while (containers.get(id).state.status !== "exited" || containers.get(id).restartCount < 2) {
      await containers.wait(id, { condition: "next-exit" }).result;
    }
    assert.equal(await box.log(id), "try\ntry\ntry\n");
    await containers.remove(id);
  });

  test("limits: memory is enforced and its victim told, the number of processes is", async () => {
    const eater = ["sh", "-c", "dd if=/dev/zero of=/dev/shm/x bs=1M count=60; tail /dev/zero"];
    const { exitCode, view } = await box.run(eater, {
      host: { Memory: 32 * 1024 * 1024, MemorySwap: 32 * 1024 * 1024 },
    });
    assert.deepEqual([exitCode, view.state.oomKilled], [137, true]);
    const bomb = ["sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 1 & done; wait"];
    const { stderr } = await box.run(bomb, { host: { PidsLimit: 5 } });
    assert.match(stderr, /can't fork/);
  });

  test("mounts: bind, read-only bind, volume, tmpfs, read-only root", async () => {
    const script = `
      echo new > /bind/made && cat /bind/made
      touch /ro/x 2>&1
      echo kept > /data/file
      df /mem | tail -1 | awk '{ print $1, $2 }'
      touch /x 2>&1`;
    const { stdout, view } = await box.run(["sh", "-c", script], {
      config: { Volumes: { "/anonymous": {} } },
      host: {
        Binds: [`${box.directory}/shared:/bind`, `${box.directory}:/ro:ro`, "named:/data"],
        Tmpfs: { "/mem": "size=1m" },
        ReadonlyRootfs: true,
      },
    });
    assert.deepEqual(stdout.split("\n").slice(0, 4), [
      "new",
      "touch: /ro/x: Read-only file system",
      "tmpfs 1024",
      "touch: /x: Read-only file system",
    ]);
    assert.deepEqual(view.mounts.map(({ Type, Destination, RW }) => `${Type} ${Destination} ${RW}`).sort(), [
      "bind /bind true",
      "bind /ro false",
      "volume /anonymous true",
      "volume /data true",
    ]);
    assert.equal((await box.run(["cat", "/data/file"], { host: { Binds: ["named:/data"] } })).stdout, "kept\n");
  });

  test("an empty volume gets what the image has in its place, owners and rights included", async () => {
    const id = await box.create(["sh", "-c", "stat -c '%a %u' /tmp; ls /data; stat -c %a /data/passwd"], {
      host: { Binds: ["filled:/data"] },
      config: { Volumes: { "/tmp": {} } },
    });
    await box.engine.containers.remove(id, { volumes: true });
    const { stdout } = await box.run(["sh", "-c", "stat -c '%a %u' /tmp; ls /etc; cat /etc/passwd | wc -l"], {
      host: { Binds: ["filled:/etc"] },
      config: { Volumes: { "/tmp": {} } },
    });
    assert.deepEqual(stdout.split("\n"), [
      "1777 0",
      "group",
      "hostname",
      "hosts",
      "mtab",
      "passwd",
      "resolv.conf",
      "2",
      "",
    ]);
  });

  test("privileges: capabilities, no-new-privileges, seccomp, ulimits", async () => {
    const status = (name: string) => `grep ${name} /proc/self/status | cut -f2`;
    const script = `${status("CapEff")}; ${status("NoNewPrivs")}; ${status("Seccomp:")}; ulimit -n`;
    const usual = (await box.run(["sh", "-c", script])).stdout.split("\n");
    assert.deepEqual(usual.slice(0, 3), ["00000000a80425fb", "0", "2"]);
    const tight = await box.run(["sh", "-c", script], {
      host: {
        CapDrop: ["ALL"],
        CapAdd: ["chown"],
        SecurityOpt: ["no-new-privileges", "seccomp=unconfined"],
        Ulimits: [{ Name: "nofile", Soft: 100, Hard: 200 }],
      },
    });
    assert.deepEqual(tight.stdout.split("\n").slice(0, 4), ["0000000000000001", "1", "0", "100"]);
  });

  test("what cannot be honoured is refused by name", async () => {
    const host = { StorageOpt: { size: "10G" } };
    await assert.rejects(box.create(["true"], { host }), {
      kind: "unsupported",
      message: /--storage-opt is supported only/,
    });
    for (const port of ["http", "0", "70000", "80/icmp"]) {
      await assert.rejects(box.create(["true"], { host: { PortBindings: { [port]: [] } } }), { kind: "invalid" });
    }
    assert.deepEqual(
      box.engine.containers.list({ all: true }).filter(({ state }) => state.running),
      [],
    );
  });

  test("a network need not be there before the container starts", async () => {
    const id = await box.create(["true"], { host: { NetworkMode: "mine" } });
    await assert.rejects(box.engine.containers.start(id), {
      kind: "not-found",
      message: "failed to set up container networking: network mine not found",
    });
    assert.equal(box.engine.containers.get(id).state.exitCode, 128);
    await box.engine.containers.remove(id);
  });

  test("namespaces of another container, and the machine's", async () => {
    const first = await box.start(["sleep", "1000"]);
    const host = { NetworkMode: `container:${first}`, PidMode: `container:${first}` };
    const { stdout } = await box.run(
      ["sh", "-c", "readlink /proc/self/ns/net; readlink /proc/1/ns/net; cat /proc/1/comm"],
      { host },
    );
    const [mine, theirs, comm] = stdout.split("\n");
    assert.equal(mine, theirs);
    assert.equal(comm, "sleep");
    await box.engine.containers.remove(first, { force: true });
    const { stdout: links } = await box.run(["ls", "/sys/class/net"], { host: { NetworkMode: "host" } });
    assert.match(links, /lo/);
  });

  test("rename, list and its filters", async () => {
    const { containers } = box.engine;
    const one = await box.create(["true"], { name: "one", config: { Labels: { kind: "test", n: "1" } } });
    const two = await box.create(["true"], { name: "two", config: { Labels: { kind: "test" } } });
    containers.rename(one, "uno");
    assert.throws(() => containers.rename(two, "uno"), { kind: "conflict" });
    const names = (filters: Record<string, string[]>) =>
      containers.list({ all: true, filters }).map(({ name }) => name);
    assert.deepEqual(names({ label: ["kind=test"] }), ["two", "uno"]);
    assert.deepEqual(names({ label: ["kind", "n=1"] }), ["uno"]);
    assert.deepEqual(names({ name: ["^/?tw"] }), ["two"]);
    assert.deepEqual(names({ before: ["two"], status: ["created"] }), ["uno"]);
    assert.deepEqual(names({ ancestor: ["busybox"], since: ["uno"] }), ["two"]);
    assert.deepEqual(
      containers.list({ limit: 1 }).map(({ name }) => name),
      ["two"],
    );
    assert.throws(() => names({ nonsense: ["x"] }), { kind: "invalid" });
    for (const id of [one, two]) await containers.remove(id);
  });

  test("sampan/host is this machine, and what is written there is thrown away", async () => {
    const id = await box.start(["sh", "-c", "touch /made && ls /made; hostname"], { config: { Image: "sampan/host" } });
    await box.engine.containers.wait(id).result;
    assert.equal(await box.log(id), `/made\n${id.slice(0, 12)}\n`);
    await box.engine.containers.remove(id);
  });

  test("explain tells the program and leaves nothing", async () => {
    const { text, steps } = await box.engine.explain({ config: { Image: "busybox", Cmd: ["true"] } });
    assert.match(text, /execve/);
    assert.ok(steps.length > 50);
  });

  test("an image that a container stands on cannot be removed", async () => {
    const id = await box.create(["true"]);
    await assert.rejects(box.engine.images.remove("busybox", { force: false }), { kind: "conflict" });
    await box.engine.containers.remove(id);
  });

  async function logged(id: string, text: string): Promise<void> {
    await eventually(`it says ${text}`, async () => (await box.log(id)) === text);
  }
});
