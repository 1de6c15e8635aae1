import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, suite, test } from "node:test";
import { scratchDirectory } from "../../src/build/scratch.ts";
import { buildContext } from "../support/builds.ts";
import { busybox } from "../support/images.ts";
import { eventually, succeed } from "../support/process.ts";
import { requires } from "../support/requires.ts";
import { sampan, sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });

/** A build that runs, and all that it has said. */
class RunningBuild {
  readonly #child: ChildProcess;
  told = "";

  constructor(...args: string[]) {
    this.#child = spawn(sampan, ["build", "--progress", "plain", ...args], { env: box.env, cwd: box.directory });
    this.#child.stderr?.setEncoding("utf8").on("data", (text) => {
      this.told += text;
    });
  }

  async says(text: RegExp): Promise<void> {
    await eventually(`a build says ${text}`, () => text.test(this.told) || undefined);
  }

  async leave(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGINT");
    await ended;
  }

  /** Its exit status. */
  async end(): Promise<number> {
    if (this.#child.exitCode === null) await once(this.#child, "exit");
    return this.#child.exitCode ?? -1;
  }
}

/** A RUN that tells when it is carried out, and goes on when it may: by a cache mount, which a test sees from outside. */
class Gate {
  readonly id = `gate-${Math.random()}`;

  /** `lines` come before the RUN, and `rest` behind its waiting. */
  context({
    lines = [],
    mounts = "",
    rest = "true",
  }: {
    lines?: string[];
    mounts?: string;
    rest?: string;
  } = {}): string {
    const wait = "while [ ! -e /gate/open ]; do sleep 0.05; done";
    const run = `RUN --mount=type=cache,id=${this.id},target=/gate ${mounts} echo x >>/gate/times; echo begun; ${wait}; ${rest}`;
    return buildContext(box, { Dockerfile: ["FROM busybox", ...lines, run], file: "content" });
  }

  get #directory(): string {
    return join(box.layout.root, "build/mounts", createHash("sha256").update(this.id).digest("hex"));
  }

  /** How often the RUN was begun. */
  get times(): number {
    const path = join(this.#directory, "times");
    return existsSync(path) ? readFileSync(path, "utf8").length / 2 : 0;
  }

  open(): void {
    writeFileSync(join(this.#directory, "open"), "");
  }
}

const random = "head -c 16 /dev/urandom | od -An -tx1 >/number";
const number = (image: string) => box.ok("run", "--rm", "--network", "none", image, "cat", "/number");

suite("builds at the same time", requires("busybox"), () => {
  before(async () => {
    await box.load(await busybox(), "busybox:latest");
  });

  test("a step that two of them want is carried out once; both hear what it says", async () => {
    const gate = new Gate();
    const one = new RunningBuild("-t", "one", gate.context({ lines: ["COPY file /"], rest: random }));
    await one.says(/ begun$/m);
    const two = new RunningBuild("-t", "two", gate.context({ lines: ["COPY file /"], rest: random }));
    // What was said before it came, too.
    await two.says(/ begun$/m);
    gate.open();
    assert.deepEqual([await one.end(), await two.end()], [0, 0], one.told + two.told);
    assert.equal(gate.times, 1);
    assert.equal(await number("one"), await number("two"));
  });

  test("the client that was first leaves: the other one's build goes on with what that one had brought", async () => {
    const gate = new Gate();
    const lines = ["COPY file /copied"];
    const mounts = "--mount=type=bind,target=/context";
    const rest = `cmp /context/file /copied && ${random}`;
    const first = new RunningBuild(gate.context({ lines, mounts, rest }));
    await first.says(/ begun$/m);
    const other = new RunningBuild("-t", "stays", gate.context({ lines, mounts, rest }));
    await other.says(/ begun$/m);
    await first.leave();
    // The daemon has noticed.
    await box.ping();
    gate.open();
    assert.equal(await other.end(), 0, other.told);
    assert.equal(gate.times, 1);
    await number("stays");
    await eventually("what the first build brought is gone", () => scratch().length === 0);
  });

  test("the client that came later leaves: nothing happens to the first", async () => {
    const gate = new Gate();
    const first = new RunningBuild("-t", "first", gate.context());
    await first.says(/ begun$/m);
    const later = new RunningBuild(gate.context());
    await later.says(/ begun$/m);
    await later.leave();
    gate.open();
    assert.equal(await first.end(), 0, first.told);
    assert.equal(gate.times, 1);
  });

  test("when all have left, the step is ended, and begun anew by who wants it next", async () => {
    const gate = new Gate();
    const builds = [new RunningBuild(gate.context()), new RunningBuild(gate.context())];
    for (const build of builds) await build.says(/ begun$/m);
    for (const build of builds) await build.leave();
    await eventually("nothing of them is left", () => scratch().length === 0);
    const again = new RunningBuild(gate.context());
    await again.says(/ begun$/m);
    gate.open();
    assert.equal(await again.end(), 0, again.told);
    assert.equal(gate.times, 2);
  });

  test("a step that fails, fails both, each with its own place", async () => {
    const gate = new Gate();
    const one = new RunningBuild(gate.context({ rest: "exit 7" }));
    await one.says(/ begun$/m);
    const two = new RunningBuild(gate.context({ lines: ["LABEL moved=down", ""], rest: "exit 7" }));
    await two.says(/ begun$/m);
    gate.open();
    assert.deepEqual([await one.end(), await two.end()], [1, 1]);
    assert.match(one.told, /Dockerfile:2:1: .*exit code: 7/);
    assert.match(two.told, /Dockerfile:4:1: .*exit code: 7/);
    assert.equal(gate.times, 1);
  });

  test("another secret, and --no-cache, are carried out apart", async () => {
    const gate = new Gate();
    const mounts = "--mount=type=secret,id=s";
    const secret = (text: string) => {
      const path = join(box.directory, `secret-${text}`);
      writeFileSync(path, text);
      return ["--secret", `id=s,src=${path}`];
    };
    const builds = [["a"], ["b"]].map(([text = ""]) => new RunningBuild(...secret(text), gate.context({ mounts })));
    builds.push(new RunningBuild(...secret("a"), "--no-cache", gate.context({ mounts })));
    for (const build of builds) await build.says(/ begun$/m);
    gate.open();
    for (const build of builds) assert.equal(await build.end(), 0, build.told);
    assert.equal(gate.times, 3);
  });
});

suite("layers of COPY --link", requires("busybox"), () => {
  test("are the same on another base, and nothing is copied again", async () => {
    const lines = ["ARG BASE", "FROM $BASE", "COPY --link --chown=7:8 file /in/file", "COPY --link file /in/other"];
    const context = buildContext(box, { Dockerfile: lines, file: "content" });
    const base = buildContext(box, { Dockerfile: ["FROM busybox", "RUN mkdir /in && echo base >/in/base"] });
    await box.ok("build", "-q", "-t", "newer", base);
    const build = async (from: string, ...more: string[]) => {
      const { status, stderr } = await box.run([
        "build",
        "--progress",
        "plain",
        "--build-arg",
        `BASE=${from}`,
        "-t",
        `on-${from}`,
        ...more,
        context,
      ]);
      assert.equal(status, 0, stderr);
      return stderr;
    };
    assert.doesNotMatch(await build("busybox"), /CACHED/);
    const told = await build("newer");
    for (const [, id = ""] of told.matchAll(/^#(\d+) \[.*\] COPY --link/gm))
      assert.match(told, new RegExp(`^#${id} CACHED$`, "m"));
    assert.equal(told.match(/^#\d+ CACHED$/gm)?.length, 2, told);

    const layers = async (image: string) => {
      const tar = join(box.directory, `${image}.tar`);
      await box.ok("save", "-o", tar, image);
      const [entry] = JSON.parse(await succeed("tar", ["-xOf", tar, "manifest.json"]));
      return entry.Layers as string[];
    };
    const [old, rebased] = [await layers("on-busybox"), await layers("on-newer")];
    assert.deepEqual(rebased.slice(-2), old.slice(-2));
    assert.equal(rebased.length, old.length + 1);
    const seen = "cat /in/base /in/file /in/other; stat -c %u:%g /in/file";
    const output = await box.ok("run", "--rm", "--network", "none", "on-newer", "sh", "-c", seen);
    assert.equal(output, "base\ncontentcontent7:8");
  });

  test("without --link they are copied again", async () => {
    const context = buildContext(box, { Dockerfile: ["ARG BASE", "FROM $BASE", "COPY file /plain"], file: "content" });
    for (const base of ["busybox", "newer"]) {
      const { stderr } = await box.run(["build", "--progress", "plain", "--build-arg", `BASE=${base}`, context]);
      assert.doesNotMatch(stderr, /CACHED/);
    }
  });
});

/** What builds have lying about. */
function scratch(): string[] {
  const directory = scratchDirectory(box.layout);
  return existsSync(directory) ? readdirSync(directory) : [];
}
