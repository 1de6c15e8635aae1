/**
 * Output: lines that a container writes until it has ended, against the same program into a bare pipe and a file; the same
 * lines read back over the API, against reading the file. See bench/README.md.
 *
 *   tools/node bench/logs.ts [--megabytes N] [--rounds N]
 */
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { busybox, dockerArchive } from "../test/support/images.ts";
import { succeed } from "../test/support/process.ts";
import { Sandbox } from "../test/support/sandbox.ts";
import { Api } from "./support/api.ts";
import { type Contestant, race, table } from "./support/measure.ts";
import { hasPeers, startPeer } from "./support/peers.ts";

const { values } = parseArgs({
  options: { megabytes: { type: "string", default: "200" }, rounds: { type: "string", default: "5" } },
});
const image = "lines:latest";
const size = Number(values.megabytes) * 1_000_000;

/** Lines of 100 bytes, numbered. */
function lines(): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0, number = 0; at < size; at += 100, number++) {
    bytes.write(`line ${String(number).padStart(10, "0")} ${"x".repeat(83)}\n`, at, "latin1");
  }
  return bytes;
}

/** Docker's API of an engine, and where it sees the file of lines. */
interface Engine {
  readonly name: string;
  readonly api: Api;
  readonly socket: string;
  readonly file: string;
  readonly image: string;
  /** The log options for one file without limit. */
  readonly unlimited: Record<string, string>;
}

async function create({ api, file, image: Image }: Engine, options: Record<string, string>): Promise<string> {
  const LogConfig = { Type: "json-file", Config: options };
  const HostConfig = { NetworkMode: "none", Binds: [`${file}:/lines:ro`], LogConfig };
  const { Id } = (await api.call("POST", "/containers/create", { Image, Cmd: ["cat", "/lines"], HostConfig })) as {
    Id: string;
  };
  return Id;
}

async function run({ api }: Engine, id: string): Promise<void> {
  const exited = api.call("POST", `/containers/${id}/wait?condition=next-exit`);
  exited.catch(() => {}); // a start that fails says why
  await api.call("POST", `/containers/${id}/start`);
  await exited;
}

/** Create, start, wait, remove; what counts is from the start to the end. */
function writing(name: string, engine: Engine, options: Record<string, string>): Contestant {
  return {
    name,
    once: async () => {
      const id = await create(engine, options);
      const begin = performance.now();
      await run(engine, id);
      const took = performance.now() - begin;
      await engine.api.call("DELETE", `/containers/${id}`);
      return took;
    },
  };
}

/** Receives an answer as fast as it comes, without looking at it. */
async function drain(socketPath: string, path: string): Promise<number> {
  let received = 0;
  const buffer = Buffer.allocUnsafeSlow(1024 * 1024);
  const callback = (count: number): boolean => {
    received += count;
    return true;
  };
  const reading = connect({
    path: socketPath,
    onread: { buffer, callback },
  });
  reading.write(`GET ${path} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n`);
  await once(reading, "close");
  return received;
}

async function reading(name: string, engine: Engine, query: string): Promise<Contestant> {
  const id = await create(engine, engine.unlimited);
  await run(engine, id);
  return {
    name,
    once: async () => {
      const begin = performance.now();
      const received = await drain(engine.socket, `/v1.41/containers/${id}/logs?stdout=1&stderr=1${query}`);
      if (received < (query === "" ? size : 1)) throw new Error(`${received} bytes of ${size} came back`);
      return performance.now() - begin;
    },
    close: async () => void (await engine.api.call("DELETE", `/containers/${id}`)),
  };
}

/** The same in the shell. */
function shell(name: string, command: string): Contestant {
  return { name, once: async () => void (await succeed("sh", ["-c", command])) };
}

async function ours(closing: AsyncDisposableStack, archive: Buffer, content: Buffer): Promise<Engine> {
  const box = new Sandbox();
  closing.defer(() => box.close());
  const file = join(box.directory, "lines");
  writeFileSync(file, content);
  await box.start();
  const { status, stderr } = await box.run(["load"], { input: archive });
  if (status !== 0) throw new Error(`sampan load: ${stderr}`);
  const socket = box.layout.apiSocket;
  const api = new Api(socket);
  closing.defer(async () => api.close());
  mkdirSync(join(box.directory, "out"));
  return { name: "sampan", api, socket, file, image, unlimited: { "max-size": "-1" } };
}

async function dockers(closing: AsyncDisposableStack, archive: Buffer, content: Buffer): Promise<Engine | undefined> {
  if (!hasPeers()) return undefined;
  const dockerd = ["dockerd", "--data-root", "/engine/data", "-H", "unix:///engine/docker.sock"];
  const peer = await startPeer("bench-logs-docker", dockerd, "docker.sock");
  closing.defer(() => peer.close());
  await peer.api.send("POST", "/images/load", archive, "application/x-tar");
  writeFileSync(join(peer.directory, "lines"), content);
  return { name: "docker", api: peer.api, socket: peer.socket, file: "/engine/lines", image, unlimited: {} };
}

async function main(): Promise<void> {
  await using closing = new AsyncDisposableStack();
  const archive = await dockerArchive(await busybox(), [image]);
  const content = lines();
  const sampan = await ours(closing, archive, content);
  const docker = await dockers(closing, archive, content);
  const out = join(sampan.file, "../out/file");
  const written = await race(
    [
      shell("pipe to file", `busybox cat ${sampan.file} | cat >${out}`),
      writing("sampan, 5 × 10 MB", sampan, {}),
      writing("sampan, one file", sampan, sampan.unlimited),
      ...(docker === undefined ? [] : [writing("docker, one file", docker, docker.unlimited)]),
    ],
    Number(values.rounds),
  );
  const contestants = [
    shell("read the file", `cat ${sampan.file} >/dev/null`),
    await reading("sampan", sampan, ""),
    await reading("sampan, timestamps", sampan, "&timestamps=1"),
    await reading("sampan, tail 10", sampan, "&tail=10"),
    await reading("sampan, since a minute ahead", sampan, `&since=${Math.floor(Date.now() / 1000) + 3600}`),
    ...(docker === undefined ? [] : [await reading("docker", docker, "")]),
  ];
  const read = await race(contestants, Number(values.rounds));
  for (const contestant of contestants) await contestant.close?.();
  const head = `${values.megabytes} MB of lines of 100 bytes`;
  const tables = [
    table(`written, ${head}`, written.rows, "pipe to file"),
    table(`read over the API, ${head}`, read.rows, "read the file"),
  ];
  process.stdout.write(`${[...tables, ...written.out, ...read.out].join("\n\n")}\n`);
}

await main();
