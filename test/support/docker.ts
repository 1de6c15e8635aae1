import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { type Finished, type RunOptions, runProgram } from "./process.ts";
import type { Sandbox } from "./sandbox.ts";

/** The environment in which Docker's own tools talk to the sandbox's daemon. */
export function dockerEnv(box: Sandbox): NodeJS.ProcessEnv {
  return { ...box.env, DOCKER_HOST: `unix://${box.layout.apiSocket}`, DOCKER_CONFIG: join(box.directory, "docker") };
}

/** Runs the real `docker ARGS…` against the sandbox's daemon, which has to run. */
export function docker(box: Sandbox, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return runProgram("docker", args, { cwd: box.directory, ...options, env: { ...dockerEnv(box), ...options.env } });
}

/**
 * Whether the docker command line speaks version 1.44 of the API, docker 25. Older ones, like that of Debian 12, print what
 * older versions answer, and keep to themselves what they think no daemon wants.
 */
export function dockerIsRecent(): boolean {
  const { stdout } = spawnSync("docker", ["version", "--format", "{{.Client.APIVersion}}"], {
    env: { PATH: process.env.PATH, DOCKER_HOST: "unix:///nonexistent" },
    encoding: "utf8",
  });
  return Number(stdout.split(".")[1]) >= 44;
}
