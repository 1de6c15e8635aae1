import assert from "node:assert/strict";
import { after, test } from "node:test";
import { parseLandlockPolicy } from "../../src/kernel/landlock/parse.ts";
import { resolveLandlock } from "../../src/kernel/landlock/ruleset.ts";
import { startProgram } from "../../src/runtime/start.ts";
import { StartPrograms } from "../../src/runtime/start-programs.ts";
import type { ContainerSpec, StartOptions } from "../../src/runtime/types.ts";
import { testExecutor } from "../support/helper.ts";
import { HostContainers } from "../support/host-container.ts";

const { executor, directory } = testExecutor();
const containers = new HostContainers(executor, directory);
after(() => containers.close());
const host = { cgroups: containers.cgroups, kernel: { lowerdirPlus: true } };
const programs = new StartPrograms(host);
const network = { namespace: 5, rtnetlink: 6, machine: 4 };

/** A container as the engine makes it: its id is in its paths, its host name and its files. */
function container(id: string): { spec: ContainerSpec; options: StartOptions } {
  const base = containers.spec("true");
  const hostname = id.slice(0, 12);
  const upper = { upper: `/nowhere/${id}/upper`, work: `/nowhere/${id}/work` };
  return {
    spec: {
      ...base,
      id,
      hostname,
      root: { ...base.root, upper, prepared: [], mountPoint: "/nowhere/rootfs" },
      process: { ...base.process, env: [`HOSTNAME=${hostname}`] },
      files: [{ target: "/etc/hosts", text: `127.0.0.1 localhost ${hostname}\n`, readOnly: false }],
      cgroupPath: `/nowhere/${id}`,
    },
    options: {
      files: { socket: `/nowhere/${id.slice(0, 20)}.1`, exitFile: `/nowhere/${id}/exit.1` },
      hold: false,
    },
  };
}

const ids = ["1f", "2e", "3d"].map((digits) => digits.repeat(32));

test("the bytes are those that building gives, whichever container was first", () => {
  for (const id of ids) {
    const { spec, options } = container(id);
    const built = startProgram(spec, options, { ...host, network }).program.encode();
    assert.deepEqual(programs.get(spec, options, network).program.encode(), built);
  }
});

/** A container whose connection has addresses, pointers and texts in its data, and something to give back. */
function connected(id: string, address: string): ReturnType<typeof container> {
  const { spec, options } = container(id);
  const connect: ContainerSpec["connect"] = (p, { rtnetlink }) => {
    const message = p.words([p.text(address), p.buffer(8), id.length], "{ message }");
    p.call("sendto", [rtnetlink, message, message.size, 0, 0, 0], { note: `send ${address}` });
    return () => p.call("unlinkat", [p.text("sampan"), p.text(`/nowhere/${address}`), 0], { note: "give it back" });
  };
  const files = [{ target: "/etc/hosts", text: `${address}\t${spec.hostname}\n`, readOnly: false }];
  return { spec: { ...spec, connect, files }, options };
}

test("containers in networks: the bytes are those that building gives", () => {
  for (const where of [network, undefined]) {
    for (const [index, address] of ["10.1.0.2", "10.1.0.3", "10.1.0.4", "10.1.0.10", "10.1.0.11"].entries()) {
      const { spec, options } = connected(ids[index % ids.length] ?? "", address);
      const built = startProgram(spec, options, { ...host, network: where }).program.encode();
      assert.deepEqual(programs.get(spec, options, where).program.encode(), built, address);
    }
  }
});

test("another command, another network, another start: another program", () => {
  const [id = ""] = ids;
  const { spec, options } = container(id);
  const other = { ...spec, process: { ...spec.process, argv: ["/bin/sh", "-c", "echo"] } };
  const { ruleset } = resolveLandlock(parseLandlockPolicy("write=/tmp:/dev,connect=443"), { abi: 6 });
  const confined = { ...spec, process: { ...spec.process, landlock: ruleset ? [ruleset] : [] } };
  const later = { ...spec, namespaces: { ...spec.namespaces, time: { boottime: { seconds: 5, nanoseconds: 0 } } } };
  const files = { ...options.files, socket: options.files.socket.replace(".1", ".2") };
  for (const [one, how, where] of [
    [other, options, network],
    [confined, options, network],
    [later, options, network],
    [spec, { ...options, files }, network],
    [spec, { ...options, hold: true }, network],
    [spec, options, { ...network, namespace: 7 }],
  ] as const) {
    const built = startProgram(one, how, { ...host, network: where }).program.encode();
    assert.deepEqual(programs.get(one, how, where).program.encode(), built);
  }
});

test("a failing step is told in the words of the container at hand", () => {
  for (const id of ids) {
    const { spec, options } = container(id);
    const { program } = programs.get(spec, options, network);
    assert.equal(program.purpose, `start container ${id.slice(0, 12)}`);
    const full = startProgram(spec, options, { ...host, network }).program;
    full.encode();
    const named = full.order.findIndex(({ note }) => note.includes(id.slice(0, 12)));
    assert.ok(named > 0);
    assert.equal(program.step(named)?.note, full.order[named]?.note);
  }
});
