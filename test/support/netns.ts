import assert from "node:assert/strict";
import { after, afterEach, before } from "node:test";
import type { Machine } from "./machine.ts";
import { DockerdMachine } from "./machine-dockerd.ts";
import { SampanMachine } from "./machine-sampan.ts";
import { eventually, type Finished, type RunOptions, runProgram } from "./process.ts";
import { patience } from "./requires.ts";
import { image } from "./uplink.ts";

/** Speaks Docker's command line to a machine's engine, and traffic to its containers. */
export class World {
  readonly machine: Machine;

  constructor(machine: Machine) {
    this.machine = machine;
  }

  docker(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    return runProgram("docker", args, { cwd: this.machine.directory, ...options, env: this.machine.env });
  }

  /** `docker ARGS…`, which has to succeed; its output without the last line's end. */
  async ok(...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.docker(args);
    assert.equal(status, 0, `docker ${args.join(" ")}: ${stdout}${stderr}`);
    return stdout.replace(/\n$/, "");
  }

  /** `docker ARGS…`, which has to fail and say something that matches. */
  async fails(why: RegExp, ...args: string[]): Promise<void> {
    const { status, stderr } = await this.docker(args);
    assert.match(stderr, why, `docker ${args.join(" ")}`);
    assert.notEqual(status, 0);
  }

  /** Starts a container that answers at the ports; `options` are those of docker run. */
  async serve(name: string, options: readonly string[] = [], ports: readonly number[] = [7000]): Promise<void> {
    const command = ["probe", "serve", name, ...ports.map(String)];
    await this.ok("run", "-d", "--name", name, ...options, image, ...command);
    await this.serves(name);
  }

  /** Waits until what a container runs is ready. */
  async serves(name: string): Promise<void> {
    await eventually(`${name} serves`, async () => (await this.ok("logs", name)).includes("ready"));
  }

  /** What targets answer to somebody, by target: see probe.c. "machine", "outside" or a container's name. */
  async ask(who: string, targets: readonly string[], milliseconds = 600): Promise<Record<string, string>> {
    const probe = ["ask", String(milliseconds * Math.min(patience, 5)), ...targets];
    return Object.fromEntries((await this.#probe(who, probe)).split("\n").map((line) => line.split(" = ")));
  }

  /** As `ask` for one target; who expects none says how long to listen. TCP repeats its first packet after a second, should it get lost. */
  async answer(who: string, target: string, milliseconds = 3000): Promise<string | undefined> {
    return (await this.ask(who, [target], milliseconds))[target];
  }

  /** One connection's traffic for so many milliseconds: see probe.c. */
  stream(who: string, target: string, milliseconds: number): Promise<string> {
    return this.#probe(who, ["stream", String(milliseconds), target]);
  }

  async #probe(who: string, args: readonly string[]): Promise<string> {
    const { machine } = this;
    if (who === "machine") return await machine.namespace.ok(machine.probe, ...args);
    if (who === "outside") return await machine.outside.ok(machine.probe, ...args);
    return await this.ok("exec", who, "probe", ...args);
  }

  /** Runs a shell script in a container, which has to succeed. */
  sh(container: string, script: string): Promise<string> {
    return this.ok("exec", container, "sh", "-c", script);
  }

  /** A value of docker inspect. */
  inspect(name: string, format: string): Promise<string> {
    return this.ok("inspect", "-f", format, name);
  }

  /** A container's address in a network. */
  address(container: string, network: string, family: "v4" | "v6" = "v4"): Promise<string> {
    const field = family === "v4" ? "IPAddress" : "GlobalIPv6Address";
    return this.inspect(container, `{{(index .NetworkSettings.Networks "${network}").${field}}}`);
  }

  /** Removes all containers and the networks that tests have made. */
  async clear(): Promise<void> {
    const ids = (await this.ok("ps", "-aq")).split("\n").filter((id) => id !== "");
    if (ids.length > 0) await this.ok("rm", "-f", ...ids);
    await this.ok("network", "prune", "-f");
  }
}

/**
 * A machine for all tests of the file, opened before the first and checked after the last. `args` are those of the
 * daemon. With SAMPAN_TEST_ENGINE=dockerd it is the dockerd of the peers tool: so a test proves itself.
 */
export function world(...args: string[]): World {
  const machine: Machine =
    process.env.SAMPAN_TEST_ENGINE === "dockerd" ? new DockerdMachine(args) : new SampanMachine(args);
  let failed = false;
  before(() => machine.open());
  afterEach((context) => {
    if ("passed" in context && !context.passed) failed = true;
  });
  after(async () => {
    const logs = machine.logs();
    try {
      await machine.close();
    } catch (error) {
      failed = true;
      throw error;
    } finally {
      if (failed) process.stderr.write(`${logs}\n`);
    }
  });
  return new World(machine);
}
