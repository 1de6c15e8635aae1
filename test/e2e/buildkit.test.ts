import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { linkSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, suite, test } from "node:test";
import { buildContext } from "../support/builds.ts";
import { buildx, buildxCommand, buildxOf, plugin, pluginEnv, requiresPlugins } from "../support/buildx.ts";
import { dockerOf } from "../support/docker.ts";
import { busybox } from "../support/images.ts";
import { processesOf } from "../support/leaks.ts";
import { eventually, runProgram } from "../support/process.ts";
import { startRegistry } from "../support/registry.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });
const { ok } = dockerOf(box);
const { built, refused } = buildxOf(box);
const context = (files: Parameters<typeof buildContext>[1]) => buildContext(box, files);

const inspect = async (name: string) => JSON.parse(await ok("image", "inspect", name))[0];

suite("docker build with buildx", requiresPlugins("docker-buildx"), () => {
  before(async () => box.load(await busybox({ Labels: { base: "1" } }), "busybox:latest"));

  test("a Dockerfile becomes an image that runs, and what has not changed is not done again", async () => {
    const directory = context({
      Dockerfile: ["# syntax=docker/dockerfile:1", "FROM busybox", "ARG WHO", "COPY . /ctx/", "RUN echo $WHO > /who"],
      "sub/inside": "in a directory\n",
      ".dockerignore": "ignored\n*.log\n!kept.log\n",
      ignored: "no",
      "a.log": "no",
      "kept.log": "yes",
      grüße: "no ASCII\n",
    });
    writeFileSync(join(directory, "large"), Buffer.alloc(5_000_000, "large "));
    writeFileSync(Buffer.concat([Buffer.from(`${directory}/odd`), Buffer.from([0xff])]), "odd");
    symlinkSync("sub/inside", join(directory, "link"));
    linkSync(join(directory, "large"), join(directory, "hard"));
    const args = ["-t", "first", "-t", "other:tag", "--build-arg", "WHO=world", "--label", "b=2", "--label", "a=1"];
    const progress = await built(...args, directory);
    assert.match(progress, /\[internal\] load build definition from Dockerfile/);
    assert.match(progress, /\[2\/3\] COPY \. \/ctx\//);
    assert.match(progress, /naming to docker\.io\/library\/first:latest/);
    const names = await ok("run", "--rm", "first", "ls", "-A", "/ctx");
    const expected = [".dockerignore", "Dockerfile", "hard", "kept.log", "large", "link", "sub"];
    assert.deepEqual(
      names
        .split("\n")
        .filter((name) => !/^odd|^gr/.test(name))
        .sort(),
      expected,
    );
    assert.match(names, /^odd/m);
    assert.equal(
      await ok("run", "--rm", "first", "cat", "/who", "/ctx/link", "/ctx/grüße"),
      "world\nin a directory\nno ASCII",
    );
    const sum = execFileSync("md5sum", [join(directory, "large")], { encoding: "utf8" }).slice(0, 32);
    assert.match(await ok("run", "--rm", "first", "md5sum", "/ctx/hard"), new RegExp(`^${sum}`));
    const first = await inspect("first");
    assert.deepEqual(first.Config.Labels, { base: "1", a: "1", b: "2" });
    assert.deepEqual(first.RepoTags.sort(), ["first:latest", "other:tag"]);
    assert.equal((await built(...args, directory)).match(/ CACHED$/gm)?.length, 2);
    assert.equal((await inspect("first")).Id, first.Id);
  });

  test("targets, caches that are not wanted, the image's id", async () => {
    const directory = context({
      Dockerfile: [
        "FROM busybox AS a",
        "RUN echo a > /a",
        "FROM a AS b",
        "RUN echo b > /b",
        "FROM scratch",
        "COPY no /",
      ],
    });
    const id = join(box.directory, "id");
    const metadata = join(box.directory, "metadata");
    await built("--target", "b", "--iidfile", id, "--metadata-file", metadata, "-t", "b", directory);
    const { Id } = await inspect("b");
    assert.equal(readFileSync(id, "utf8"), Id);
    const { "containerimage.config.digest": digest, "image.name": name } = JSON.parse(readFileSync(metadata, "utf8"));
    assert.deepEqual([digest, name], [Id, "docker.io/library/b:latest"]);
    assert.match(
      await built("--no-cache-filter", "b", "--target", "b", directory),
      /a 2\/2\] RUN echo a > \/a\n#\d+ CACHED/,
    );
    assert.doesNotMatch(await built("--no-cache", "--target", "b", directory), /CACHED/);
    const quiet = await buildx(box, ["-q", "--target", "a", directory]);
    assert.match(quiet.stdout, /^sha256:[0-9a-f]{64}\n$/);
  });

  test("Dockerfiles and contexts from elsewhere: another directory, stdin, an archive, by name", async () => {
    const directory = context({ file: "hello\n", Dockerfile: "FROM busybox\nCOPY file /\n" });
    const more = context({ more: "more\n", Named: "FROM busybox\nCOPY file /\nCOPY --from=also more /\n" });
    await built("-f", join(more, "Named"), "--build-context", `also=${more}`, "-t", "named", directory);
    assert.equal(await ok("run", "--rm", "named", "cat", "/file", "/more"), "hello\nmore");
    await built("-f", join(more, "Named"), "--build-context", "also=docker-image://named", "-t", "again", directory);
    assert.equal(await ok("run", "--rm", "again", "cat", "/more"), "more");
    const piped = async (input: Buffer | string, ...args: string[]) => {
      const { status, stderr } = await buildx(box, args, { input });
      assert.equal(status, 0, stderr);
      return stderr;
    };
    assert.doesNotMatch(await piped("FROM busybox\nRUN true\n", "-f", "-", directory), /load build context/);
    await piped("FROM busybox\nCOPY file /piped\n", "-f", "-", "-t", "piped", directory);
    assert.equal(await ok("run", "--rm", "piped", "cat", "/piped"), "hello");
    await piped(execFileSync("tar", ["-C", directory, "-cz", "."]), "-t", "archive", "-");
    assert.equal(await ok("run", "--rm", "archive", "cat", "/file"), "hello");
  });

  test("secrets are lent for a command, required ones must be there", async () => {
    const directory = context({
      Dockerfile: ["FROM busybox", "RUN --mount=type=secret,id=s,required cat /run/secrets/s | rev > /taken"],
      secret: "abc",
    });
    await refused(/secret s: not found/, "--no-cache", directory);
    await built("--secret", `id=s,src=${join(directory, "secret")}`, "-t", "secret", directory);
    assert.equal(await ok("run", "--rm", "secret", "cat", "/taken"), "cba");
  });

  test("an ssh agent is lent to a command", requires("ssh-keygen"), async () => {
    const key = join(box.directory, "key");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
    const directory = context({
      Dockerfile: ["FROM busybox", 'RUN --mount=type=ssh,required test -S "$SSH_AUTH_SOCK" && echo there'],
    });
    const { status, stderr } = await buildx(box, ["--ssh", `default=${key}`, directory]);
    assert.equal(status, 0, stderr);
    assert.match(stderr, /^#\d+ [\d.]+ there$/m);
    await refused(/unset ssh forward key default/, "--no-cache", directory);
  });

  test("files and archives go back to the client", async () => {
    const directory = context({ Dockerfile: ["FROM scratch", "COPY . /top/"], "sub/file": "hello\n" });
    writeFileSync(join(directory, "large"), Buffer.alloc(3_000_000, "x"));
    symlinkSync("sub/file", join(directory, "link"));
    const output = join(box.directory, "output");
    mkdirSync(output);
    await built("-o", output, directory);
    assert.deepEqual(readdirSync(join(output, "top")).sort(), ["Dockerfile", "large", "link", "sub"]);
    assert.equal(readFileSync(join(output, "top", "link"), "utf8"), "hello\n");
    assert.equal(statSync(join(output, "top", "large")).size, 3_000_000);
    const archive = join(box.directory, "output.tar");
    await built("-o", `type=tar,dest=${archive}`, directory);
    const names = execFileSync("tar", ["-tf", archive], { encoding: "utf8" });
    assert.match(names, /^top\/sub\/file$/m);
  });

  test("failures show the place in the Dockerfile", async () => {
    const failing = context({ Dockerfile: ["FROM busybox", "RUN echo first", "RUN echo bang && exit 3"] });
    const shown = await refused(/did not complete successfully: exit code: 3/, failing);
    assert.match(shown, /Dockerfile:3\n-+\n/);
    assert.match(shown, / 3 \| >>> RUN echo bang && exit 3\n/);
    assert.match(shown, / > \[3\/3\] RUN echo bang && exit 3:\n[\d.]+ bang\n/);
    const wrong = await refused(/unknown instruction: RUNN/, context({ Dockerfile: "FROM busybox\nRUNN x\n" }));
    assert.match(wrong, / 2 \| >>> RUNN x\n/);
    await refused(/COPY failed: .*nothere/, context({ Dockerfile: "FROM busybox\nCOPY nothere /\n" }));
  });

  test("what cannot be had is refused, and says what to do", async () => {
    const directory = context({ Dockerfile: "FROM busybox\n" });
    await refused(/Attestations are not supported/, "--sbom=true", directory);
    await refused(
      /Cannot solve with the frontend example\.com\/other/,
      "--build-arg",
      "BUILDKIT_SYNTAX=example.com/other",
      directory,
    );
  });

  test("builds at the same time carry a common step out once, and each gets its image", async () => {
    const directory = context({
      Dockerfile: [
        "FROM busybox",
        "RUN head -c 16 /dev/urandom | md5sum > /same; sleep 1",
        "ARG N",
        "RUN echo $N > /own",
      ],
    });
    const all = ["1", "2", "3", "4"];
    await Promise.all(all.map((n) => built("--build-arg", `N=${n}`, "-t", `at-once:${n}`, directory)));
    const files = all.map((n) => ok("run", "--rm", "--network", "none", `at-once:${n}`, "cat", "/same", "/own"));
    const [first = "", ...others] = await Promise.all(files);
    for (const [i, other] of others.entries()) assert.equal(other, first.replace(/1$/, String(i + 2)));
  });

  test("lints and questions about the Dockerfile", async () => {
    const directory = context({
      Dockerfile: ["FROM busybox AS base", "ARG X=1", "FROM base as last", "MAINTAINER me"],
    });
    assert.match(await built(directory), /warnings found|WARN: MaintainerDeprecated/);
    const targets = await buildx(box, ["--call", "targets", directory]);
    if (/unknown flag/.test(targets.stderr)) return; // buildx before 0.16
    assert.match(targets.stdout, /last \(default\)/);
    const check = await refused(/MaintainerDeprecated/, "--check", directory);
    assert.doesNotMatch(check, /exporting/);
    const outline = await buildx(box, ["--call", "outline", directory]);
    assert.match(outline.stdout, /X\s+1/);
  });

  test("pushed images, with the client's credentials", requires("docker-registry"), async (t) => {
    const files = join(box.directory, "registry");
    mkdirSync(files);
    const registry = await startRegistry(files);
    t.after(() => registry.close());
    const name = `${registry.host}/pushed:1`;
    await built("-t", name, "--push", context({ Dockerfile: "FROM busybox\nRUN echo pushed > /it\n" }));
    await ok("rmi", name);
    assert.equal(await ok("run", "--rm", "--pull", "always", name, "cat", "/it"), "pushed");
    // As the base of another build, whose client is asked for credentials.
    await ok("rmi", name);
    await built("-t", "from", context({ Dockerfile: `FROM ${name}\n` }));
  });

  test("the build cache: what is there, and less of it", async () => {
    await built(context({ Dockerfile: "FROM busybox\nRUN echo kept > /cache\n" }));
    const usage = await buildxCommand(box, "du", "--verbose");
    assert.match(usage.stdout, /RUN echo kept/, usage.stderr);
    const pruned = await buildxCommand(box, "prune", "-f", "-a");
    assert.match(pruned.stdout, /Total:/, pruned.stderr);
    assert.doesNotMatch((await buildxCommand(box, "du", "--verbose")).stdout, /RUN echo kept/);
    assert.match((await buildxCommand(box, "inspect")).stdout, /Status:\s+running/);
  });

  for (const signal of ["SIGINT", "SIGKILL"] as const) {
    test(`a client that leaves by ${signal} ends its build`, async () => {
      const directory = context({ Dockerfile: `FROM busybox\nRUN echo ${signal}; sleep 1000\n` });
      const client = spawn(plugin("docker-buildx") ?? "", ["build", "--progress=plain", directory], {
        env: pluginEnv(box),
        stdio: ["ignore", "ignore", "pipe"],
      });
      const sleeps = () => processesOf(box.layout).filter(({ command }) => command.includes("sleep 1000"));
      await eventually("the command runs", () => sleeps().length > 0, 30_000);
      client.kill(signal);
      await eventually("the command has ended", () => sleeps().length === 0, 30_000);
    });
  }
});

suite("Compose with buildx", requiresPlugins("docker-buildx", "docker-compose"), () => {
  before(async () => box.load(await busybox(), "busybox:latest"));

  test("build, and up --build, which changes nothing the second time", async () => {
    const directory = context({
      "docker-compose.yml": [
        "services:",
        "  web: {build: {context: web, args: {V: '7'}, labels: {z: z, a: a}}, network_mode: none, stop_grace_period: 0s}",
        "  db: {build: db, network_mode: none, stop_grace_period: 0s}",
      ],
      "web/Dockerfile": ["FROM busybox", "ARG V", "COPY msg /", "RUN echo $V >> /msg", 'CMD ["sleep", "1000"]'],
      "web/msg": "web\n",
      "db/Dockerfile": ["FROM busybox", 'CMD ["sleep", "1000"]'],
    });
    const compose = async (...args: string[]) => {
      const env = { ...pluginEnv(box), COMPOSE_MENU: "false", COMPOSE_PROGRESS: "plain" };
      const all = ["--progress=plain", "-p", "built", ...args];
      const done = await runProgram(plugin("docker-compose") ?? "", all, { cwd: directory, env, timeout: 120_000 });
      assert.equal(done.status, 0, `${done.stdout}${done.stderr}`);
      return done.stdout;
    };
    await compose("build");
    await compose("up", "-d", "--build");
    assert.equal(await compose("exec", "-T", "web", "cat", "/msg"), "web\n7\n");
    const before = await compose("ps", "-q");
    assert.equal(before.trim().split("\n").length, 2);
    await compose("up", "-d", "--build");
    assert.equal(await compose("ps", "-q"), before);
    await compose("down");
  });
});
