import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { findCommand, groups as sampanGroups } from "../../src/cli/commands.ts";
import { whyLater } from "../../src/cli/later-commands.ts";
import type { Option } from "../../src/cli/options.ts";
import { program, requires } from "../support/requires.ts";

/** Commands of docker 28 that are not there, and why; the command line says the same. */
const missingCommands: Readonly<Record<string, string>> = {
  bake: "buildx's, which has no star here; no bake files yet",
  "checkpoint, context, plugin, trust": "not asked for yet",
  "config, node, service, stack, swarm, volume update": "there is no swarm",
};

/** Flags that are known, and refused with words when they are used: `command --flag`, without the aliases of a command. */
const refusedFlags: Readonly<Record<string, string>> = {
  "--cpu-count, --cpu-percent, --io-maxbandwidth, --io-maxiops": "containers for Windows",
  "build --security-opt, build --squash": "nothing stands for them in a build without containers",
  "--cpu-rt-period, --cpu-rt-runtime": "no real-time scheduling with cgroup v2",
  "--kernel-memory": "kernels have it no more",
  "--use-api-socket": "experimental in docker",
  "rm --link": "links are aliases of networks",
  "secret create --driver, secret create --template-driver": "secrets are kept by the daemon",
  "secret inspect --pretty": "a template does it",
  "start --checkpoint, start --checkpoint-dir": "no checkpoints yet",
  "volume create --availability, volume create --group, volume create --limit-bytes": "there is no swarm",
  "volume create --required-bytes, volume create --scope, volume create --secret": "there is no swarm",
  "volume create --sharing, volume create --topology-preferred": "there is no swarm",
  "volume create --topology-required, volume create --type, volume ls --cluster": "there is no swarm",
};

const listed = (table: Readonly<Record<string, string>>): Set<string> =>
  new Set(Object.keys(table).flatMap((names) => names.split(", ")));

/** What has commands of its own, here and in docker. */
const groups = ["builder", "container", "image", "manifest", "network", "secret", "system", "volume"].filter(
  (name) => name in sampanGroups,
);

/** Of docker itself, also where buildx answers for its commands. */
function dockerHelp(...words: string[]): string {
  const env = { PATH: process.env.PATH, DOCKER_HOST: "unix:///nonexistent", DOCKER_BUILDKIT: "0" };
  return spawnSync(program("docker") ?? "docker", [...words, "--help"], { encoding: "utf8", env }).stdout;
}

/** What a help lists; what is said before may be indented, too. */
function commandsIn(help: string): string {
  return help.slice(help.search(/^[A-Za-z ]*Commands:$/m));
}

/** Every command of docker's own (plugins have a star) at the top and in the groups, as words. */
function dockerCommands(): string[][] {
  const within = (...group: string[]): string[][] =>
    [...commandsIn(dockerHelp(...group)).matchAll(/^ {2}([a-z-]+) +\S/gm)].map(([, name = ""]) => [...group, name]);
  return [...within().filter(([name = ""]) => !groups.includes(name)), ...groups.flatMap((group) => within(group))];
}

interface Flag {
  readonly name: string;
  readonly short: string | undefined;
  readonly isSwitch: boolean;
}

function flagsIn(help: string): Flag[] {
  const flags = help.matchAll(/^ {2}(?:-(\w), | {4})--([a-z][\w-]*)(?: (\w+))?(?= {2,}|$)/gm);
  return [...flags].map(([, short, name = "", label]) => ({ name, short, isSwitch: label === undefined }));
}

/** Whether an option is there to say that it is not. */
function isRefused(option: Option<unknown>): boolean {
  try {
    option.read(option.label === "" ? "true" : "1", option.initial);
    return false;
  } catch (error) {
    return /not in this version of Sampan yet$/.test((error as Error).message);
  }
}

const recent = Number(/version (\d+)/.exec(spawnSync("docker", ["--version"], { encoding: "utf8" }).stdout ?? "")?.[1]);
const needs =
  recent >= 28 ? {} : { skip: `needs the docker command line 28 or newer${recent ? `, this is ${recent}` : ""}` };

test("docker's commands are there, or are listed here with the reason", { ...requires("docker"), ...needs }, () => {
  const absent = dockerCommands().filter((words) => findCommand(words)?.path !== words.join(" "));
  const expected = listed(missingCommands);
  assert.deepEqual(
    absent.map((words) => words.join(" ")).filter((path) => !expected.has(path)),
    [],
  );
  const there = [...expected].filter((path) => findCommand(path.split(" "))?.path === path);
  assert.deepEqual(there, [], "listed as missing, and there");
  const silent = absent.filter((words) => words[0] !== "volume" && whyLater(words) === undefined);
  assert.deepEqual(silent, [], "a command that is not there is told with the reason");
});

test("docker's flags are there with their letters, or are listed here with the reason", {
  ...requires("docker"),
  ...needs,
}, async () => {
  const expected = listed(refusedFlags);
  const wrong: string[] = [];
  const refused = new Set<string>();
  for (const words of dockerCommands()) {
    const found = findCommand(words);
    if (found?.path !== words.join(" ")) continue;
    const { default: command } = await found.entry.load();
    for (const { name, short, isSwitch } of flagsIn(dockerHelp(...words))) {
      const option = command.options[name];
      const where = `${found.path} --${name}`;
      if (name === "help") continue;
      if (option === undefined) wrong.push(`${where} is missing`);
      else if (option.short !== short) wrong.push(`${where} has the letter ${option.short}, not ${short}`);
      else if ((option.label === "") !== isSwitch) wrong.push(`${where} ${isSwitch ? "is a switch" : "has a value"}`);
      else if (isRefused(option)) {
        const names = [`--${name}`, ...found.entry.paths.map((path) => `${path} --${name}`)];
        const entry = names.find((candidate) => expected.has(candidate));
        if (entry === undefined) wrong.push(`${where} is refused without a reason here`);
        else refused.add(entry);
      }
    }
  }
  assert.deepEqual(wrong, []);
  assert.deepEqual(
    [...expected].filter((entry) => !refused.has(entry)),
    [],
    "listed as refused, and honoured",
  );
});
