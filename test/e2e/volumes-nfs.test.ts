import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { world } from "../support/netns.ts";
import { lackOfNfs, NfsServer } from "../support/nfs.ts";
import { requires, requiresKernel, requiresRoot } from "../support/requires.ts";

const net = world();
const { machine } = net;

const needed = { ...requires("docker", "cc", "ip", "rpc.nfsd", "rpc.mountd", "exportfs"), ...requiresRoot() };

suite("volumes on an NFS server", { ...needed, ...requiresKernel(await lackOfNfs()) }, () => {
  let server: NfsServer;

  before(async () => {
    server = new NfsServer(machine.namespace, machine.directory);
    await server.start();
  });
  after(() => server.close());

  const create = (name: string, o: string, device = ":/") =>
    net.ok("volume", "create", "-o", "type=nfs", "-o", `o=${o}`, "-o", `device=${device}`, name);
  const there = (name: string) => readFileSync(join(server.directory, name), "utf8");
  const mounts = async () => (await machine.namespace.ok("cat", "/proc/self/mountinfo")).split("\n");
  const isMounted = async () => (await mounts()).some((line) => / - nfs4? /.test(line));

  test("what a container writes is on the server, and mounted only while one runs", async () => {
    await create("shared", "addr=127.0.0.1,vers=4.2,rw");
    assert.equal(await isMounted(), false);
    await net.ok("run", "-d", "--name", "holder", "-v", "shared:/data", "probe", "sleep", "1000");
    assert.equal(await isMounted(), true);
    await net.ok("exec", "holder", "sh", "-c", "echo written >/data/file");
    assert.equal(there("file"), "written\n");
    writeFileSync(join(server.directory, "theirs"), "from the server\n");
    assert.equal(await net.ok("run", "--rm", "-v", "shared:/d", "probe", "cat", "/d/theirs"), "from the server");
    assert.equal(await isMounted(), true);
    await net.ok("rm", "-f", "holder");
    assert.equal(await isMounted(), false);
    await net.ok("volume", "rm", "shared");
    assert.deepEqual(readdirSync(server.directory).toSorted(), ["file", "theirs"]);
  });

  test("a server by its name, a directory below, read-only", async () => {
    await create("byname", "addr=localhost,vers=4.2,ro");
    await net.fails(/[Rr]ead-only file system/, "run", "--rm", "-v", "byname:/data", "probe", "touch", "/data/new");
    assert.equal(await net.ok("run", "--rm", "-v", "byname:/data", "probe", "cat", "/data/file"), "written");
    await net.ok("volume", "rm", "byname");
  });

  test("what the server does not have is told when a container starts", async () => {
    await create("missing", "addr=127.0.0.1,vers=4.2", ":/nosuch");
    const why =
      /error while mounting volume 'missing': failed to mount local volume: mount :\/nosuch:.*(ENOENT|no such file)/i;
    await net.fails(why, "run", "--rm", "-v", "missing:/data", "probe", "true");
    await net.ok("volume", "rm", "missing");
    assert.equal(await isMounted(), false);
  });

  test("a server that falls silent holds up only those who use it", async () => {
    await create("silent", "addr=127.0.0.1,vers=4.2,hard,timeo=50");
    const use = "while sleep 0.1; do echo . >>/data/dots; done";
    await net.ok("run", "-d", "--name", "stuck", "-v", "silent:/data", "probe", "sh", "-c", use);
    await server.fallSilent();
    try {
      assert.match(await net.ok("ps"), /stuck/);
      assert.equal(await net.inspect("stuck", "{{.State.Running}}"), "true");
      assert.match(await net.ok("volume", "ls"), /silent/);
      assert.match(await net.ok("volume", "inspect", "silent"), /nfs/);
      assert.match(await net.ok("images"), /probe/);
      assert.equal(await net.ok("run", "--rm", "-v", "other:/data", "probe", "echo", "still here"), "still here");
    } finally {
      await server.serve();
    }
    await net.ok("rm", "-f", "stuck");
    await net.ok("volume", "rm", "silent", "other");
    assert.equal(await isMounted(), false);
  });
});
