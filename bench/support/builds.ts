import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { succeed } from "../../test/support/process.ts";
import { clocked } from "./clock.ts";
import { buildah, type Engine, type Tools } from "./engines.ts";
import type { Contestant } from "./measure.ts";
import { manyFiles } from "./trees.ts";

/** Ten steps; `last` is what the last one depends on. */
export const dockerfile = (last: string): string =>
  [
    "FROM busybox",
    "ENV A=b",
    "WORKDIR /app",
    "RUN echo one > one",
    "COPY files ./files",
    "RUN echo two > two && ls files | wc -l > count",
    "COPY files/d0/f1 /f1",
    "RUN echo three > three",
    "LABEL bench=yes",
    `RUN echo ${last} > last`,
  ].join("\n");

/** The same without any layer, cache or record: a copy of the base, the commands in it, one archive of what came of them. */
export const byHand = `set -e; context=$1 rootfs=$2 work=$3
run() { chroot "$work" /bin/sh -c "cd /app; $1"; }
cp -a "$rootfs" "$work"; mkdir "$work/app"
run "echo one > one"
cp -a "$context/files" "$work/app/files"
run "echo two > two && ls files | wc -l > count"
cp "$context/files/d0/f1" "$work/f1"
run "echo three > three"; run "echo last > last"
tar -cC "$work" app f1 | sha256sum >/dev/null`;

/** The files that are copied, by their path below the context: a thousand bytes each. */
const files = (count: number) => manyFiles("files", count, () => 1000).filter(({ type }) => type !== "directory");

/** Writes the Dockerfile and so many files into a new directory. */
export function writeContext(directory: string, count: number): void {
  mkdirSync(directory);
  writeFileSync(join(directory, "Dockerfile"), dockerfile("last"));
  for (const { name, body = "" } of files(count)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), body);
  }
}

/** A command line that builds a directory, and what has to be done so that it remembers nothing. */
export interface Builder {
  readonly name: string;
  /** A copy of the context of its own, as it is seen out here. */
  readonly context: string;
  /** Builds; `options` come before the directory. */
  build(options: readonly string[]): Contestant;
  /** Removes what is kept for the next build. */
  forget(): Promise<void>;
}

interface Kind {
  readonly name: string;
  readonly cli: readonly string[];
  readonly build: readonly string[];
  readonly forget: readonly string[];
}

/** Podman's own are more than a machine without CAP_SYS_RESOURCE may give. */
const limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"];
const quietly = ["-q", "--network", "none", "-t", "bench"];

/** The command lines that build with an engine's store: docker's is BuildKit, podman has two. */
function kindsOf({ name, cli }: Engine, missing: readonly string[]): Kind[] {
  const forget = [...cli, "builder", "prune", "-af"];
  if (name !== "podman") {
    const said = name === "docker" ? "docker build (BuildKit)" : `${name} build`;
    return [{ name: said, cli, build: ["build", ...quietly], forget }];
  }
  const layered = ["build", "--layers", ...limits, ...quietly];
  const nothing = [...cli, "image", "prune", "-f"];
  const own = { name: "podman build", cli, build: layered, forget: nothing };
  const other = { name: "buildah build", cli: buildah, build: layered, forget: nothing };
  return missing.length === 0 ? [own, other] : [own];
}

/** Every way to build with an engine, each with a copy of the context; `timer` is the compiled timer.c. */
export async function builders(engine: Engine, context: string, timer: string, { missing }: Tools): Promise<Builder[]> {
  const clock = join(engine.directory, "timer");
  if (clock !== timer) await succeed("cp", [timer, clock]);
  return kindsOf(engine, missing).map(({ name, cli, build, forget }, n) => {
    const copy = `context-${engine.name}-${n}`;
    const own = join(engine.directory, copy);
    cpSync(context, own, { recursive: true, preserveTimestamps: true });
    const argv = (options: readonly string[]) => [...cli, ...build, ...options, join(engine.inside, copy)];
    const [file = "", ...args] = engine.beside(forget);
    return {
      name,
      context: own,
      build: (options) => clocked(name, engine.beside([join(engine.inside, "timer"), ...argv(options)]), engine.env),
      forget: async () => void (await succeed(file, args, { env: engine.env })),
    };
  });
}

/** Builds from nothing. */
export function cold(builder: Builder): Contestant {
  const build = builder.build(["--no-cache"]);
  return {
    ...build,
    once: async () => {
      await builder.forget();
      return await build.once();
    },
  };
}

/** Builds after one file among the many has changed. */
export function changed(builder: Builder): Contestant {
  const build = builder.build([]);
  let round = 0;
  return {
    ...build,
    once: async () => {
      writeFileSync(join(builder.context, "files/d0/f0"), `changed ${round++} at ${Date.now()}`);
      return await build.once();
    },
  };
}

/** A shell script as a contestant that leaves a directory behind, which is removed while the clock stands. */
export function script(name: string, text: string, args: readonly string[], made: string): Contestant {
  return {
    name,
    once: async () => {
      const start = performance.now();
      await succeed("sh", ["-c", text, "sh", ...args]);
      const time = performance.now() - start;
      rmSync(made, { recursive: true, force: true });
      return time;
    },
  };
}
