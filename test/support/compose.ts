import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { plugin } from "./buildx.ts";
import type { World } from "./netns.ts";
import { type Finished, runProgram } from "./process.ts";
import { program } from "./requires.ts";

/** A Compose on this machine: Debian's docker-compose, of whatever generation, and docker's plugin. */
export interface Compose {
  readonly title: string;
  readonly argv: readonly string[];
  /** The first one, in Python, cannot replace a container: it wants a field of images that dockerd has not had since 26. */
  readonly replaces: boolean;
}

export function composes(): Compose[] {
  const second = plugin("docker-compose");
  const own = program("docker-compose");
  const isFirst = (file: string) => readFileSync(file, "latin1").startsWith("#!");
  return [
    ...(own === undefined ? [] : [{ title: "docker-compose of this machine", argv: [own], replaces: !isFirst(own) }]),
    ...(second === undefined ? [] : [{ title: "docker compose, the plugin", argv: [second], replaces: true }]),
  ];
}

/** A project: a directory with a compose file, and the commands on it. */
export class Project {
  readonly #world: World;
  readonly #compose: Compose;
  readonly name: string;
  readonly directory: string;

  constructor(world: World, compose: Compose, name: string, file: string) {
    this.#world = world;
    this.#compose = compose;
    this.name = name;
    this.directory = join(world.machine.directory, `project-${name}`);
    mkdirSync(this.directory, { recursive: true });
    this.write(file);
  }

  /** Another content for the compose file. */
  write(file: string): void {
    writeFileSync(join(this.directory, "docker-compose.yml"), file);
  }

  run(...args: string[]): Promise<Finished> {
    const [file = "", ...all] = [...this.#compose.argv, "-p", this.name, ...args];
    const env = { ...this.#world.machine.env, COMPOSE_PROGRESS: "plain", COMPOSE_MENU: "false" };
    return runProgram(file, all, { cwd: this.directory, env, timeout: 120_000 });
  }

  async ok(...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.run(...args);
    if (status !== 0) throw new Error(`compose ${args.join(" ")} ended with ${status}:\n${stdout}${stderr}`);
    return stdout.replace(/\n$/, "");
  }

  /** The id of the n-th container of a service. */
  async container(service: string, n = 1): Promise<string> {
    const labels = [`com.docker.compose.project=${this.name}`, `com.docker.compose.service=${service}`];
    const filters = [...labels, `com.docker.compose.container-number=${n}`].flatMap((label) => [
      "--filter",
      `label=${label}`,
    ]);
    return await this.#world.ok("ps", "-q", ...filters);
  }
}
