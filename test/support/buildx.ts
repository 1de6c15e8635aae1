import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { dockerEnv, dockerIsRecent } from "./docker.ts";
import { type Finished, type RunOptions, runProgram } from "./process.ts";
import { program, type Requirement, requires } from "./requires.ts";
import type { Sandbox } from "./sandbox.ts";

/** The last is where .ci/run unpacks those of Debian's next release. */
const places = ["libexec/docker", "lib/docker", "local/lib/docker", "local/lib/sampan-tests"];

/**
 * Where a plugin of docker's command line is: the one that SAMPAN_TEST_BUILDX or SAMPAN_TEST_COMPOSE names, this machine's, else the
 * peers'; undefined: nowhere.
 */
export function plugin(name: "docker-buildx" | "docker-compose"): string | undefined {
  const given = process.env[name === "docker-buildx" ? "SAMPAN_TEST_BUILDX" : "SAMPAN_TEST_COMPOSE"];
  if (given !== undefined) return given;
  const peers = join(process.env.PEERS ?? "/var/tmp/peers", "root");
  return ["/", peers]
    .flatMap((root) => places.map((place) => join(root, "usr", place, "cli-plugins", name)))
    .find((path) => existsSync(path));
}

/** Whether buildx leaves pushing to a daemon that can, as from 0.22 on; older ones push the stored image once more by themselves. */
export function pushesByDaemon(): boolean {
  const said = execFileSync(plugin("docker-buildx") ?? "docker-buildx", ["version"], { encoding: "utf8" });
  const [, major = "0", minor = "0"] = / v?(\d+)\.(\d+)/.exec(said) ?? [];
  return Number(major) > 0 || Number(minor) >= 22;
}

/** Of tests that need the plugins. */
export function requiresPlugins(...names: readonly Parameters<typeof plugin>[0][]): Requirement {
  const missing = names.filter((name) => plugin(name) === undefined);
  return missing.length > 0
    ? { skip: `needs ${missing.join(", ")} (.ci/run fetches them)` }
    : requires("docker", "busybox");
}

/**
 * Runs `docker build ARGS…` as buildx, with the progress as lines. The docker command line hands over to it from docker 23 on; with an
 * older one the plugin is called by itself.
 */
export function buildx(box: Sandbox, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const all = ["build", ...(args.includes("-q") ? [] : ["--progress=plain"]), ...args];
  const file = dockerIsRecent() ? (program("docker") ?? "docker") : (plugin("docker-buildx") ?? "docker-buildx");
  return runProgram(file, all, { cwd: box.directory, timeout: 120_000, ...options, env: pluginEnv(box, options.env) });
}

/** Builds with buildx in tests that do nothing else. */
export interface Buildx {
  /** `docker build ARGS…`, which has to succeed; what it has told of its progress. */
  built(...args: string[]): Promise<string>;
  /** `docker build ARGS…`, which has to fail and say something that matches. */
  refused(text: RegExp, ...args: string[]): Promise<string>;
}

export function buildxOf(box: Sandbox): Buildx {
  return {
    built: async (...args) => {
      const { status, stdout, stderr } = await buildx(box, args);
      assert.equal(status, 0, `${stdout}${stderr}`);
      return stderr;
    },
    refused: async (text, ...args) => {
      const { status, stdout, stderr } = await buildx(box, args);
      assert.notEqual(status, 0, stderr);
      assert.match(`${stdout}${stderr}`, text);
      return stderr;
    },
  };
}

/** `docker buildx ARGS…` */
export function buildxCommand(box: Sandbox, ...args: readonly string[]): Promise<Finished> {
  const options = { cwd: box.directory, timeout: 60_000, env: pluginEnv(box) };
  return runProgram(plugin("docker-buildx") ?? "docker-buildx", args, options);
}

/** The environment in which docker's command line has the plugins, and both talk to the sandbox's daemon. */
export function pluginEnv(box: Sandbox, more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const config = join(box.directory, "docker");
  linkPlugins(config);
  return { ...dockerEnv(box), DOCKER_CONFIG: config, BUILDX_CONFIG: join(box.directory, "buildx"), ...more };
}

/** Has docker's command line find the plugins by a directory for its configuration. */
export function linkPlugins(config: string): void {
  const directory = join(config, "cli-plugins");
  mkdirSync(directory, { recursive: true });
  for (const name of ["docker-buildx", "docker-compose"] as const) {
    const path = plugin(name);
    if (path !== undefined && !existsSync(join(directory, name))) symlinkSync(path, join(directory, name));
  }
}
