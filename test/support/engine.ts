import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, before } from "node:test";
import { openEngine } from "../../src/engine/open.ts";
import type {
  AttachOptions,
  ContainerConfigRequest,
  ContainerView,
  Engine,
  EngineEvent,
  HostConfigRequest,
  JoinEnd,
} from "../../src/engine/types.ts";
import { defaultNetworking } from "../../src/network/options.ts";
import { type Layout, layoutOf } from "../../src/storage/layout.ts";
import { busybox, dockerArchive } from "./images.ts";
import { leftovers } from "./leaks.ts";
import { eventually } from "./process.ts";
import { removeTree } from "./sandbox.ts";

export interface CreateOptions {
  readonly config?: ContainerConfigRequest;
  readonly host?: HostConfigRequest;
  readonly name?: string;
}

/** How a container that was run to its end has ended. */
export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly view: ContainerView;
}

/** Somebody who is attached: `client` is his end, `end` why it is over. */
export interface Attached {
  readonly client: Socket;
  readonly end: Promise<JoinEnd>;
}

/** An engine in the test's own process, with a busybox image, below one temporary directory. */
export class EngineBox {
  readonly directory: string = mkdtempSync(join(tmpdir(), "sampan-"));
  readonly layout: Layout = layoutOf({ root: join(this.directory, "root"), run: join(this.directory, "run") });
  readonly events: EngineEvent[] = [];
  readonly complaints: string[] = [];
  readonly #sockets: Socket[] = [];
  #pairs = 0;
  #engine: Engine | undefined;

  get engine(): Engine {
    if (this.#engine === undefined) throw new Error("the engine is not open");
    return this.#engine;
  }

  async open(): Promise<void> {
    const complain = (detail: object, message: string) =>
      void this.complaints.push(`${message} ${JSON.stringify(detail)}`);
    const log = { error: complain, warn: complain, debug: () => {} };
    this.#engine = await openEngine({ layout: this.layout, log, networking: { ...defaultNetworking, bridge: "none" } });
    this.#engine.events.subscribe((event) => this.events.push(event));
  }

  /** As after the daemon's end and new start: what this engine knows only by itself is forgotten. */
  async reopen(): Promise<void> {
    await this.engine.close();
    await this.open();
  }

  async load(): Promise<void> {
    const archive = await dockerArchive(await busybox(), ["busybox"]);
    await this.engine.images.load(Readable.from([archive]), { progress: () => {} });
  }

  async create(cmd: readonly string[], { config, host, name }: CreateOptions = {}): Promise<string> {
    const { id } = await this.engine.containers.create({
      name,
      config: { Image: "busybox", Cmd: cmd, ...config },
      hostConfig: host,
    });
    return id;
  }

  async start(cmd: readonly string[], options: CreateOptions = {}): Promise<string> {
    const id = await this.create(cmd, options);
    await this.engine.containers.start(id);
    return id;
  }

  /** Runs a container to its end and removes it. */
  async run(cmd: readonly string[], options: CreateOptions = {}): Promise<Ran> {
    const { containers } = this.engine;
    const id = await this.create(cmd, options);
    try {
      const { result } = containers.wait(id, { condition: "next-exit" });
      await containers.start(id);
      const { exitCode } = await result;
      const [stdout, stderr] = [await this.log(id, "stdout"), await this.log(id, "stderr")];
      return { exitCode, stdout, stderr, view: containers.get(id) };
    } finally {
      await containers.remove(id, { force: true, volumes: true });
    }
  }

  /** One stream of a container's log, or a terminal's. */
  async log(id: string, stream: "stdout" | "stderr" = "stdout"): Promise<string> {
    const { tty, chunks } = this.engine.containers.logs(id, {
      stdout: stream === "stdout",
      stderr: stream === "stderr",
    });
    const bytes = Buffer.concat(await Array.fromAsync(chunks, (chunk) => Buffer.from(chunk)));
    return tty ? bytes.toString() : payload(bytes);
  }

  async attach(id: string, options: Partial<AttachOptions> = {}): Promise<Attached> {
    const all = { stdin: true, stdout: true, stderr: true, stream: true, ...options };
    const attachment = this.engine.containers.attach(id, all);
    const [client, theirs] = await this.socketPair();
    return { client, end: attachment.join(theirs) };
  }

  /** Two connected Unix sockets, as a hijacked connection is one. */
  async socketPair(): Promise<[Socket, Socket]> {
    const server = createServer({ allowHalfOpen: true });
    const path = join(this.directory, `pair-${this.#pairs++}`);
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
    const client = createConnection({ path, allowHalfOpen: true });
    const theirs = await accepted;
    server.close();
    this.#sockets.push(client, theirs);
    return [client, theirs];
  }

  /** Actions of a container's events, in their order. */
  actions(id: string): string[] {
    return this.events.filter(({ actor }) => actor.id === id).map(({ action }) => action);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const { containers } = this.engine;
    for (const { id } of containers.list({ all: true })) await containers.remove(id, { force: true, volumes: true });
    await this.engine.close();
    await eventually("all is gone", () => leftovers(this.layout).length === 0, 3000).catch(() => {});
    assert.deepEqual(leftovers(this.layout), [], "left behind on the machine");
    assert.deepEqual(this.complaints, [], "the engine's log");
    await removeTree(this.directory);
  }
}

/** The text of Docker's frames, without their headers. */
export function payload(frames: Buffer): string {
  const parts: Buffer[] = [];
  for (let at = 0; at < frames.length; ) {
    const length = frames.readUInt32BE(at + 4);
    parts.push(frames.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return Buffer.concat(parts).toString();
}

/** All that a client receives until the other side ends. */
export async function received(client: Socket): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(client));
}

/** An engine for all tests of a file: opened before the first, closed and checked for leaks after the last. */
export function engineBox(): EngineBox {
  const box = new EngineBox();
  before(async () => {
    await box.open();
    await box.load();
  });
  after(() => box.close());
  return box;
}
