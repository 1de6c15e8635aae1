import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { readdirSync, readlinkSync } from "node:fs";
import { connect, type Server } from "node:net";
import { describe, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Slot } from "../../src/kernel/block.ts";
import * as f from "../../src/kernel/flags.ts";
import { handOver } from "../../src/kernel/handover.ts";
import { Program } from "../../src/kernel/program.ts";
import { helperBuilds, testExecutor } from "../support/helper.ts";
import { eventually } from "../support/process.ts";

/** Any free port of loopback. */
const anywhere = Buffer.from([f.AF_INET, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);

function bound(p: Program, type: number): Slot {
  const socket = p.sys("socket", [f.AF_INET, type | f.SOCK_CLOEXEC, 0], { note: "make a socket" });
  p.call("bind", [socket, p.bytes(anywhere), 16], { note: "bind it" });
  return socket;
}

function giveUdp(key: string): Program {
  const p = new Program("give a socket");
  handOver(p, bound(p, f.SOCK_DGRAM), { key, kind: "dgram.Socket" });
  return p;
}

/** How many sockets this process has open. */
function sockets(): number {
  const links = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return "";
    }
  });
  return links.filter((link) => link.startsWith("socket:")).length;
}

for (const build of helperBuilds) {
  describe(`sockets that programs hand over, ${build.name} build`, () => {
    const { executor } = testExecutor(build);

    test("a datagram socket is one of Node's", async () => {
      const { socket } = executor.receive("datagrams");
      await executor.run(giveUdp("datagrams"));
      const udp = (await socket) as Socket;
      const client = createSocket("udp4");
      client.send("hello", udp.address().port, "127.0.0.1");
      const [message] = await once(udp, "message");
      assert.equal(String(message), "hello");
      client.close();
      udp.close();
    });

    test("a listening socket is one of Node's", async () => {
      const p = new Program("give a listener");
      const listener = bound(p, f.SOCK_STREAM);
      p.call("listen", [listener, 8], { note: "listen" });
      handOver(p, listener, { key: "connections", kind: "net.Server" });
      const { socket } = executor.receive("connections");
      await executor.run(p);
      const server = (await socket) as Server;
      const { port } = server.address() as { port: number };
      const client = connect(port, "127.0.0.1");
      const [accepted] = await once(server, "connection");
      accepted.end("bye");
      const [said] = await once(client, "data");
      assert.equal(String(said), "bye");
      server.close();
    });

    test("one that nobody waits for, or no longer, is closed", async () => {
      await executor.run(giveUdp("nobody's"));
      const before = sockets();
      const { socket, cancel } = executor.receive("unwanted");
      cancel();
      await assert.rejects(socket, { kind: "cancelled" });
      await executor.run(giveUdp("unwanted"));
      const { socket: last } = executor.receive("last");
      await executor.run(giveUdp("last"));
      ((await last) as Socket).close();
      await eventually("both are closed", () => sockets() <= before);
    });

    test("side by side, each goes to who waits for it", async () => {
      const ports = await Promise.all(
        Array.from({ length: 20 }, async (_, index) => {
          const { socket } = executor.receive(`side ${index}`);
          const p = new Program("give a socket");
          const given = bound(p, f.SOCK_DGRAM);
          const name = p.buffer(16);
          p.call("getsockname", [given, name, p.words([16])], { note: "look where it is bound" });
          handOver(p, given, { key: `side ${index}`, kind: "dgram.Socket" });
          const results = await executor.run(p);
          const udp = (await socket) as Socket;
          const { port } = udp.address();
          udp.close();
          return [port, results.bytes(name).readUInt16BE(2)];
        }),
      );
      for (const [got, made] of ports) assert.equal(got, made);
    });
  });
}

describe("thousands of sockets", () => {
  const { executor } = testExecutor();

  /** Bytes that wait in the executor's end of the channel. */
  async function unread(): Promise<number> {
    const p = new Program("look into the channel");
    const bytes = p.buffer(4);
    p.call("ioctl", [3, 0x541b, bytes], { note: "FIONREAD" });
    return (await executor.run(p)).bytes(bytes).readInt32LE();
  }

  /** Bytes of the heap that are reachable. */
  function used(): number {
    setFlagsFromString("--expose-gc");
    runInNewContext("gc")();
    return process.memoryUsage().heapUsed;
  }

  async function give(count: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      const key = `one of many ${index}`;
      const { socket } = executor.receive(key);
      await executor.run(giveUdp(key));
      ((await socket) as Socket).close();
    }
  }

  test("5,000 leave no descriptor, no memory and no answer behind", async () => {
    await give(1000);
    const before = { sockets: sockets(), memory: used() };
    await give(4000);
    await eventually("all sockets are closed", () => sockets() <= before.sockets);
    assert.ok((await unread()) < 200, "the answers of Node are taken");
    const grown = used() - before.memory;
    assert.ok(grown < 400_000, `memory has grown by ${grown} bytes`);
  });
});
