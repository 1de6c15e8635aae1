import assert from "node:assert/strict";
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

/** Docker's command line for tests that use nothing else. */
export interface DockerCommands {
  /** `docker ARGS…`, which has to succeed; its output without the last line's end. */
  ok(...args: string[]): Promise<string>;
  /** `docker ARGS…`, which has to fail and say something that matches. */
  refused(text: RegExp, ...args: string[]): Promise<void>;
}

export function dockerOf(box: Sandbox): DockerCommands {
  return {
    ok: async (...args) => {
      const { status, stdout, stderr } = await docker(box, args);
      assert.equal(status, 0, `docker ${args.join(" ")}: ${stdout}${stderr}`);
      return stdout.replace(/\n$/, "");
    },
    refused: async (text, ...args) => {
      const { status, stderr } = await docker(box, args);
      assert.match(stderr, text, `docker ${args.join(" ")}`);
      assert.notEqual(status, 0, stderr);
    },
  };
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
