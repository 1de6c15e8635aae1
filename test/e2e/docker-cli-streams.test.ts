import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { docker, dockerEnv, dockerOf } from "../support/docker.ts";
import { busybox, dockerArchive, writeOciLayout } from "../support/images.ts";
import { eventually, type Finished, type RunOptions } from "../support/process.ts";
import { type Registry, startRegistry } from "../support/registry.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";
import { openTerminal } from "../support/terminal.ts";

const box = sandbox({ start: true });

const { ok } = dockerOf(box);

async function fails(
  wanted: { status: number; stderr: RegExp },
  args: string[],
  options: RunOptions = {},
): Promise<void> {
  const { status, stderr } = await docker(box, args, options);
  assert.match(stderr, wanted.stderr, `docker ${args.join(" ")}`);
  assert.equal(status, wanted.status, `docker ${args.join(" ")}: ${stderr}`);
}

suite(
  "the stock docker command line: streams and registries",
  requires("docker", "busybox", "docker-registry", "skopeo"),
  () => {
    let registry: Registry;

    before(async () => {
      const image = await busybox();
      registry = await startRegistry(join(box.directory, "registry"));
      writeOciLayout(join(box.directory, "layout"), image);
      await registry.push(join(box.directory, "layout"), "team/busybox:1");
      const { status, stderr } = await docker(box, ["load"], { input: await dockerArchive(image, ["busybox:latest"]) });
      assert.equal(status, 0, stderr);
    });

    after(() => registry.close());

    test("pull: progress, digest, what is here already, what is not there", async () => {
      const name = `${registry.host}/team/busybox:1`;
      const first = await ok("pull", name);
      assert.match(first, /^1: Pulling from team\/busybox$/m);
      assert.match(first, /Pull complete|Already exists/);
      assert.match(first, /^Digest: sha256:[0-9a-f]{64}$/m);
      assert.match(first, /^Status: Downloaded newer image for /m);
      assert.match(await ok("pull", name), /^Status: Image is up to date for /m);
      assert.equal(await ok("pull", "-q", name), name);
      assert.equal(await ok("run", "--rm", name, "echo", "pulled"), "pulled");
      const digest = /sha256:[0-9a-f]{64}/.exec(first)?.[0];
      assert.match(await ok("pull", `${registry.host}/team/busybox@${digest}`), /^Digest: /m);
      const missing = { status: 1, stderr: /not found|manifest unknown|pull access denied/i };
      await fails(missing, ["pull", `${registry.host}/team/nosuch`]);
      await fails(missing, ["pull", `${registry.host}/team/busybox:nosuch`]);
      await fails({ status: 1, stderr: /connection refused|ECONNREFUSED/i }, ["pull", "127.0.0.1:1/a"]);
      await fails({ status: 1, stderr: /invalid reference format|must be lowercase/ }, ["pull", "UPPER"]);
      await ok("rmi", name);
    });

    test("run pulls what is not here", async () => {
      const name = `${registry.host}/team/busybox:1`;
      const { status, stdout, stderr } = await docker(box, ["run", "--rm", name, "echo", "ran"]);
      assert.deepEqual([status, stdout], [0, "ran\n"], stderr);
      assert.match(stderr, /Unable to find image .* locally/);
      await ok("rmi", name);
    });

    test("login is checked against the registry", async () => {
      assert.match(await ok("login", "-u", "me", "-p", "secret", registry.host), /Login Succeeded/);
      await fails({ status: 1, stderr: /ECONNREFUSED|connection refused/i }, [
        "login",
        "-u",
        "a",
        "-p",
        "b",
        "127.0.0.1:1",
      ]);
    });

    test("logs -f --since --tail, and of both streams", async () => {
      await ok("run", "-d", "--name", "speaks", "busybox", "sh", "-c", "echo a; echo b >&2; sleep 0.5; echo c");
      const { stdout, stderr } = await docker(box, ["logs", "-f", "speaks"]);
      assert.deepEqual([stdout, stderr], ["a\nc\n", "b\n"]);
      assert.equal(await ok("logs", "--since", "1h", "speaks"), "a\nc");
      assert.equal(await ok("logs", "--until", "1h", "speaks"), "");
      assert.equal(await ok("logs", "-n", "1", "speaks"), "c");
      await ok("rm", "speaks");
    });

    test("a flood of output arrives whole", async () => {
      const { bytes, status } = await docker(box, ["run", "--rm", "busybox", "sh", "-c", "head -c 30000000 /dev/zero"]);
      assert.deepEqual([status, bytes.length, bytes.every((byte) => byte === 0)], [0, 30_000_000, true]);
    });

    test("exec: input, working directory, environment, user, detached", async () => {
      await ok("run", "-d", "--name", "host", "busybox", "sleep", "1000");
      const { stdout } = await docker(box, ["exec", "-i", "host", "sh", "-c", "cat; echo end"], { input: "through\n" });
      assert.equal(stdout, "through\nend\n");
      const say = "pwd; echo $A; id -un";
      assert.equal(
        await ok("exec", "-w", "/tmp", "-e", "A=b", "-u", "tester", "host", "sh", "-c", say),
        "/tmp\nb\ntester",
      );
      await ok("exec", "-d", "host", "sh", "-c", "echo left > /tmp/left");
      await eventually(
        "it has been done",
        async () => (await docker(box, ["exec", "host", "cat", "/tmp/left"])).status === 0,
      );
      const missing = await docker(box, ["exec", "host", "nosuch"]);
      assert.deepEqual([missing.status, /"nosuch": executable file not found/.test(missing.stdout)], [127, true]);
      const forbidden = await docker(box, ["exec", "host", "/etc/passwd"]);
      assert.deepEqual([forbidden.status, /permission denied/i.test(forbidden.stdout)], [126, true]);
      await ok("rm", "-f", "host");
      await fails({ status: 1, stderr: /No such container: host/ }, ["exec", "host", "true"]);
    });

    test("exec -it and attach in a real terminal, left by the detach keys", requires("tmux"), async () => {
      await ok("run", "-dit", "--name", "shell", "busybox", "sh");
      const env = { ...dockerEnv(box), TERM: "screen" };
      const executing = await openTerminal(box.directory, ["docker", "exec", "-it", "shell", "sh"], env);
      try {
        await executing.shows(/#/);
        await executing.type("stty size; echo $TERM; tty; exit 0");
        await executing.press("Enter");
        await executing.shows(/24 80[\s\S]*xterm[\s\S]*\/dev\/pts\/1/);
      } finally {
        await executing.close();
      }
      const attached = await openTerminal(box.directory, ["docker", "attach", "shell"], env);
      try {
        await attached.press("Enter");
        await attached.shows(/#/);
        await attached.type("echo here$((1+1))");
        await attached.press("Enter");
        await attached.shows(/here2/);
        await attached.press("C-p", "C-q");
        await attached.shows(/read escape sequence|Pane is dead/);
      } finally {
        await attached.close();
      }
      assert.equal(await ok("inspect", "-f", "{{.State.Status}}", "shell"), "running");
      await ok("rm", "-f", "shell");
    });

    test("attach brings what is typed, and the exit status", async () => {
      await ok("run", "-di", "--name", "asks", "busybox", "sh", "-c", "read a; echo got $a; exit 6");
      const child = spawn("docker", ["attach", "asks"], { env: dockerEnv(box), stdio: ["pipe", "pipe", "inherit"] });
      const said: string[] = [];
      child.stdout.setEncoding("utf8").on("data", (text: string) => said.push(text));
      child.stdin.end("this\n");
      const [code] = await once(child, "close");
      assert.deepEqual([code, said.join("")], [6, "got this\n"]);
      await ok("rm", "asks");
    });

    test("start -a and start -i join a container that has been made before", async () => {
      await ok("create", "-i", "--name", "later", "busybox", "sh", "-c", "cat; echo done; exit 2");
      const finished: Finished = await docker(box, ["start", "-ai", "later"], { input: "typed\n" });
      assert.deepEqual([finished.status, finished.stdout], [2, "typed\ndone\n"]);
      await ok("rm", "later");
    });

    test("events with filters", async () => {
      await ok("run", "--rm", "--name", "noted", "busybox", "true");
      const format = ["--format", "{{.Action}}", "--since", "1m", "--until", `${Date.now() / 1000}`];
      const actions = (await ok("events", ...format, "--filter", "container=noted")).split("\n");
      assert.deepEqual(
        actions.filter((action) => ["create", "start", "die", "destroy"].includes(action)),
        ["create", "start", "die", "destroy"],
      );
      assert.equal(await ok("events", ...format, "--filter", "container=noted", "--filter", "event=die"), "die");
    });

    test("ps, images and network ls filter and format", async () => {
      await ok("create", "--name", "one", "--label", "a=1", "busybox");
      await ok("create", "--name", "two", "--label", "a=2", "busybox");
      assert.equal(await ok("ps", "-a", "--filter", "label=a=1", "--format", "{{.Names}}"), "one");
      assert.equal(await ok("ps", "-a", "--filter", "name=tw", "--format", "{{.Names}}"), "two");
      assert.equal(
        await ok("ps", "-a", "--filter", "status=created", "-q", "--no-trunc").then((ids) => ids.split("\n").length),
        2,
      );
      assert.equal(await ok("ps", "-aq", "--filter", "status=running"), "");
      assert.match(await ok("ps", "-as", "--format", "{{.Names}} {{.Size}}"), /^two \S+ \(virtual \S+\)$/m);
      assert.equal(await ok("images", "--filter", "reference=busy*", "--format", "{{.Repository}}"), "busybox");
      assert.match(await ok("network", "ls", "--format", "{{.Name}}"), /none/);
      assert.equal(await ok("volume", "ls", "-q"), "");
      await fails({ status: 1, stderr: /invalid filter/ }, ["ps", "--filter", "colour=red"]);
      assert.match(await ok("container", "prune", "-f"), /Deleted Containers:/);
      assert.equal(await ok("ps", "-aq"), "");
    });

    test("an image loses and gets names", async () => {
      await ok("tag", "busybox", "example.com/team/other:2");
      assert.match(await ok("history", "example.com/team/other:2"), /sampan test/);
      assert.match(await ok("rmi", "example.com/team/other:2"), /^Untagged: example\.com\/team\/other:2$/);
      await ok("create", "--name", "user", "busybox");
      await fails({ status: 1, stderr: /conflict: unable to (remove|delete)/i }, ["rmi", "busybox"]);
      await ok("rm", "user");
      const inspect = JSON.parse(await ok("image", "inspect", "busybox"))[0];
      assert.deepEqual([inspect.RepoTags, inspect.Os, inspect.RootFS.Type], [["busybox:latest"], "linux", "layers"]);
    });

    test("load says what it has loaded; what is no archive is refused", async () => {
      const archive = join(box.directory, "archive.tar");
      writeFileSync(
        archive,
        await dockerArchive(await busybox({ Labels: { second: "yes" } }), ["second:1", "second:2"]),
      );
      assert.equal(await ok("load", "-i", archive), "Loaded image: second:1\nLoaded image: second:2");
      assert.equal(await ok("load", "-q", "-i", archive), "Loaded image: second:1\nLoaded image: second:2");
      await ok("rmi", "second:1", "second:2");
      writeFileSync(archive, "this is no archive");
      const { status, stderr } = await docker(box, ["load", "-i", archive]);
      assert.notEqual(status, 0);
      assert.match(stderr, /\S/);
    });

    for (const version of ["1.24", "1.40", "1.47"]) {
      test(`a client that speaks ${version}`, async () => {
        const old = { env: { DOCKER_API_VERSION: version } };
        const run = async (...args: string[]): Promise<Finished> => docker(box, args, old);
        const { status, stdout, stderr } = await run(
          "run",
          "--rm",
          "busybox",
          "sh",
          "-c",
          "echo out; echo err >&2; exit 3",
        );
        assert.deepEqual([status, stdout, stderr], [3, "out\n", "err\n"]);
        const { stdout: id } = await run("run", "-d", "--name", "old", "busybox", "sleep", "1000");
        assert.match(id, /^[0-9a-f]{64}$/m);
        assert.equal((await run("exec", "old", "echo", "in")).stdout, "in\n");
        assert.match((await run("ps", "--format", "{{.Names}}")).stdout, /^old$/m);
        assert.equal((await run("stop", "-t", "0", "old")).status, 0);
        assert.equal((await run("rm", "old")).status, 0);
        await eventually("--rm has removed", async () => (await ok("ps", "-aq")) === "");
      });
    }

    test("what is not there says so", async () => {
      await fails({ status: 1, stderr: /not a swarm manager/ }, ["service", "ls"]);
    });
  },
);
