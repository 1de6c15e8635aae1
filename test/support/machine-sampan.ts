import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dockerEnv } from "./docker.ts";
import type { Machine } from "./machine.ts";
import { Namespace } from "./namespace.ts";
import { eventually, type Finished, type RunOptions } from "./process.ts";
import { Sandbox } from "./sandbox.ts";
import { compileProbe, makeOutside, probeArchive, settled, stateOf, uplink, upstreamAnswer } from "./uplink.ts";

/** Sampan's daemon on a machine of its own. */
export class SampanMachine implements Machine {
  readonly engine = "sampan";
  readonly link = "eth0";
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
  readonly #args: readonly string[];
  readonly box: Sandbox;
  #namespace: Namespace | undefined;
  #outside: Namespace | undefined;
  #probe = "";
  #before: string[] = [];

  constructor(args: readonly string[]) {
    this.#args = args;
    this.box = new Sandbox({ SAMPAN_BRIDGE: undefined });
    this.directory = this.box.directory;
    this.env = dockerEnv(this.box);
  }

  get namespace(): Namespace {
    return must(this.#namespace);
  }

  get outside(): Namespace {
    return must(this.#outside);
  }

  get probe(): string {
    return this.#probe;
  }

  async open(): Promise<void> {
    const { directory } = this;
    this.#probe = await compileProbe(directory);
    const resolvConf = join(directory, "resolv.conf");
    writeFileSync(resolvConf, `nameserver ${uplink.outside.v4}\n`);
    const scratch = join(directory, "scratch");
    mkdirSync(scratch);
    const setup = `mount --bind ${resolvConf} /etc/resolv.conf`;
    this.#namespace = await Namespace.make(`machine of ${directory}`, scratch, setup);
    this.#outside = await makeOutside(directory, this.#namespace, this.link);
    await this.#outside.background(this.#probe, "dns", upstreamAnswer);
    await this.#outside.background(this.#probe, "serve", "outside", "7000");
    await this.#namespace.background(this.#probe, "serve", "host", "7000");
    await settled(this.#namespace, this.#outside);
    this.#before = await stateOf(this.#namespace);
    this.box.enter = this.#namespace.enter;
    await this.start();
    const { status, stderr } = await this.box.run(["load"], { input: await probeArchive(this.#probe) });
    assert.equal(status, 0, stderr);
  }

  async start(args = this.#args): Promise<void> {
    await this.box.start(...args);
  }

  async stop(): Promise<void> {
    await this.box.stop();
  }

  async kill(): Promise<void> {
    await this.box.stop("SIGKILL");
  }

  async crash(): Promise<void> {
    await this.kill();
    await this.start();
  }

  sampan(...args: string[]): Promise<string> {
    return this.box.ok(...args);
  }

  run(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    return this.box.run(args, options);
  }

  logs(): string {
    return this.box.logs();
  }

  async close(): Promise<void> {
    const namespace = this.#namespace;
    if (namespace === undefined) return await this.box.close();
    await this.box.clear();
    await this.box.run(["network", "prune", "-f"]);
    await this.box.stop();
    let left: string[] = [];
    const clean = async () => {
      left = difference(await stateOf(namespace), this.#before);
      return left.length === 0;
    };
    await eventually("the machine's network is as before", clean, 3000).catch(() => {});
    await this.#outside?.close();
    await namespace.close();
    this.box.enter = [];
    await this.box.close();
    assert.deepEqual(left, [], "left behind in the machine's network");
  }
}

/** What has come (+) and gone (-). */
function difference(now: readonly string[], before: readonly string[]): string[] {
  const come = now.filter((line) => !before.includes(line)).map((line) => `+ ${line}`);
  const gone = before.filter((line) => !now.includes(line)).map((line) => `- ${line}`);
  return [...come, ...gone];
}

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the machine is not open");
  return value;
}
