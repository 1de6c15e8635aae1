import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { before, suite, test } from "node:test";
import { busybox } from "../support/images.ts";
import { processesOf } from "../support/leaks.ts";
import { requires } from "../support/requires.ts";
import { sampan, sandbox } from "../support/sandbox.ts";
import { openTerminal } from "../support/terminal.ts";
import { killNow } from "../support/victims.ts";

const box = sandbox({ start: true });
let contexts = 0;

/** A directory with these files. */
function context(files: Readonly<Record<string, string>>): string {
  const directory = join(box.directory, `context-${contexts++}`);
  mkdirSync(directory);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return directory;
}

/** What `cat FILE` says in a container of an image. */
const file = (image: string, path: string) => box.ok("run", "--rm", "--network", "none", image, "cat", path);

const inspect = async (image: string) => JSON.parse(await box.ok("image", "inspect", image))[0];

suite("sampan build", requires("busybox"), () => {
  before(async () => box.load(await busybox(), "busybox:latest"));

  test("progress is lines with numbers where there is no terminal", async () => {
    const directory = context({ Dockerfile: "FROM busybox\nRUN echo so; echo so >/said\n" });
    const { status, stdout, stderr } = await box.run(["build", "--progress", "plain", directory]);
    assert.equal(status, 0, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, /^#(\d+) \[2\/2\] RUN echo so; echo so >\/said\n#\1 \d+\.\d{3} so\n#\1 DONE \d+\.\ds$/m);
    const again = await box.run(["build", directory]);
    assert.match(again.stderr, /^#\d+ CACHED$/m);
    const raw = await box.run(["build", "--progress", "rawjson", directory]);
    const types = raw.stderr
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).type);
    assert.equal(types.at(-1), "result");
  });

  test("a picture on a terminal ends with what was done", requires("tmux"), async () => {
    const directory = context({ Dockerfile: "FROM busybox\nRUN echo one; sleep 12345; echo two\n" });
    // The terminal says at its end that the program is over, which scrolls.
    const words = ["sh", "-c", `echo; echo; exec "$0" build "$1"`, sampan, directory];
    await using terminal = await openTerminal(box.directory, words, box.env);
    await terminal.shows(/^ => => # one$/m);
    // The command goes on once it was seen.
    killNow(processesOf(box.layout).find(({ command }) => command === "sleep 12345")?.pid);
    const last = await terminal.shows(/FINISHED/);
    assert.match(last, /^\[\+\] Building \d+\.\ds \((\d)\/\1\) FINISHED$/m);
    assert.match(last, /^ => \[2\/2\] RUN echo one; sleep 12345; echo two +\d+\.\ds$/m);
    assert.doesNotMatch(last, /=> #/);
  });

  test("names, labels, arguments and targets", async () => {
    const directory = context({
      Dockerfile:
        "FROM busybox AS base\nARG WHO=nobody\nARG FROM_ENV\nRUN echo $WHO $FROM_ENV >/who\nFROM base\nRUN exit 1\n",
    });
    const { status, stdout } = await box.run(
      [
        "build",
        "-q",
        "--tag",
        "named",
        "-t",
        "named:other",
        "--label",
        "a=b",
        "--build-arg",
        "WHO=me",
        "--build-arg",
        "FROM_ENV",
        "--target",
        "base",
        directory,
      ],
      { env: { FROM_ENV: "here" } },
    );
    assert.equal(status, 0);
    assert.match(stdout, /^sha256:[0-9a-f]{64}\n$/);
    assert.equal(await file("named:other", "/who"), "me here");
    assert.equal((await inspect("named")).Config.Labels.a, "b");
  });

  test("the image's id and more go into files", async () => {
    const directory = context({ Dockerfile: "FROM busybox\nLABEL files=1\n" });
    const [id, metadata] = ["id", "metadata.json"].map((name) => join(box.directory, name)) as [string, string];
    await box.ok("build", "--iidfile", id, "--metadata-file", metadata, "-t", "filed", directory);
    assert.equal(readFileSync(id, "utf8"), (await inspect("filed")).Id);
    const told = JSON.parse(readFileSync(metadata, "utf8"));
    assert.equal(told["containerimage.config.digest"], readFileSync(id, "utf8"));
    assert.match(told["image.name"], /filed/);
  });

  test("Dockerfiles come from anywhere", async () => {
    const directory = context({ "a.txt": "a", "docker/Other": "FROM busybox\nCOPY a.txt /\nRUN ls -A / >/list\n" });
    await box.ok("build", "-f", join(directory, "docker/Other"), "-t", "other", directory);
    assert.equal(await file("other", "/a.txt"), "a");
    const outside = join(context({ Outside: "FROM busybox\nCOPY . /all/\nRUN ls -A /all >/list\n" }), "Outside");
    await box.ok("build", "--file", outside, "-t", "outside", directory);
    assert.equal(await file("outside", "/list"), "a.txt\ndocker");
    const input = "FROM busybox\nCOPY a.txt /stdin\n";
    assert.equal((await box.run(["build", "-f", "-", "-t", "stdin", directory], { input })).status, 0);
    assert.equal(await file("stdin", "/stdin"), "a");
    assert.equal(
      (await box.run(["build", "-t", "bare", "-"], { input: "FROM busybox\nRUN echo bare >/bare" })).status,
      0,
    );
    assert.equal(await file("bare", "/bare"), "bare");
  });

  test("an archive on stdin is a context", async () => {
    const directory = context({ Dockerfile: "FROM busybox\nCOPY . /c\n", x: "from the archive" });
    const tar = join(box.directory, "context.tar.gz");
    await box.ok("build", "-t", "unused", "--compress", directory);
    spawnSync("tar", ["-C", directory, "-czf", tar, "."]);
    const { status, stderr } = await box.run(["build", "-t", "archived", "-"], { input: readFileSync(tar) });
    assert.equal(status, 0, stderr);
    assert.equal(await file("archived", "/c/x"), "from the archive");
  });

  test("secrets are seen by the step that mounts them, and left nowhere", async () => {
    const directory = context({
      Dockerfile:
        "FROM busybox\nRUN --mount=type=secret,id=file --mount=type=secret,id=env,env=TOKEN cat /run/secrets/file >/s && echo $TOKEN >>/s\nRUN test ! -e /run/secrets/file\n",
      "secret.txt": "of a file\n",
    });
    const secret = `id=file,src=${join(directory, "secret.txt")}`;
    const { status, stderr } = await box.run(
      ["build", "-t", "secret", "--secret", secret, "--secret", "id=env", directory],
      {
        env: { env: "of a variable" },
      },
    );
    assert.equal(status, 0, stderr);
    assert.equal(await file("secret", "/s"), "of a file\nof a variable");
    assert.doesNotMatch(JSON.stringify(await inspect("secret")), /of a/);
    const long = join(box.directory, "long");
    writeFileSync(long, "x".repeat(100_000));
    const counting = context({
      Dockerfile:
        "FROM busybox\nRUN --mount=type=secret,id=l wc -c </run/secrets/l >/n && ls -A /\nCOPY . /c\nRUN ls -A /c >/list\n",
    });
    await box.ok("build", "-t", "long", "--secret", `id=l,src=${long}`, counting);
    assert.equal(await file("long", "/n"), "100000");
    assert.equal(await file("long", "/list"), "Dockerfile");
  });

  test("an agent's socket is there for the step that mounts it", async () => {
    const socket = join(box.directory, "agent.sock");
    const agent = createServer((connection) => connection.end("an agent\n")).listen(socket);
    const directory = context({
      Dockerfile: "FROM busybox\nRUN --mount=type=ssh,id=a test -S $SSH_AUTH_SOCK && echo yes >/y\n",
    });
    const { status, stderr } = await box.run(["build", "-t", "agent", "--ssh", `a=${socket}`, directory]);
    agent.close();
    assert.equal(status, 0, stderr);
    assert.equal(await file("agent", "/y"), "yes");
  });

  test("the daemon takes nothing but sockets for agents", async () => {
    const directory = context({ Dockerfile: "FROM busybox\nRUN --mount=type=ssh true\n" });
    const tar = spawnSync("tar", ["-C", directory, "-c", "."]).stdout;
    for (const [path, problem] of [
      ["agent.sock", /Cannot use "agent.sock" as the ssh agent default: it is no absolute path/],
      [join(directory, "nowhere"), /as the ssh agent default: there is no such file/],
      ["/etc", /Cannot use "\/etc" as the ssh agent default: it is no socket; name the socket that SSH_AUTH_SOCK/],
      [join(directory, "Dockerfile"), /it is no socket/],
    ] as const) {
      const settings = Buffer.from(JSON.stringify({ ssh: { default: path } })).toString("base64url");
      const headers = { "content-type": "application/x-tar", "x-sampan-build": settings };
      const { status, text } = await box.api("POST", "/build", tar, headers);
      assert.equal(status, 400, text);
      assert.match(JSON.parse(text).message, problem);
    }
  });

  test("further contexts have names", async () => {
    const assets = context({ "logo.svg": "<svg/>", ignored: "", ".dockerignore": "ignored" });
    const directory = context({ Dockerfile: "FROM base\nCOPY --from=assets . /assets\nRUN ls -A /assets >/list\n" });
    await box.ok(
      "build",
      "-t",
      "contexts",
      "--build-context",
      `assets=${assets}`,
      "--build-context",
      "base=docker-image://busybox",
      directory,
    );
    assert.equal(await file("contexts", "/list"), ".dockerignore\nlogo.svg");
  });

  test("the cache is not used where it is not wanted", async () => {
    const directory = context({
      Dockerfile:
        "FROM busybox AS a\nRUN cat /proc/uptime >/a\nFROM busybox\nRUN cat /proc/uptime >/b\nCOPY --from=a /a /a\n",
    });
    const build = async (...flags: string[]) => {
      await box.ok("build", "-t", "times", ...flags, directory);
      return [await file("times", "/a"), await file("times", "/b")];
    };
    const first = await build();
    assert.deepEqual(await build(), first);
    const filtered = await build("--no-cache-filter", "a");
    assert.notEqual(filtered[0], first[0]);
    assert.equal(filtered[1], first[1]);
    const fresh = await build("--no-cache");
    assert.notEqual(fresh[1], first[1]);
    assert.match(await box.ok("builder", "prune", "--force", "--all"), /^Total reclaimed space: /m);
    assert.notDeepEqual(await build(), fresh);
  });

  test("results become directories and archives", async () => {
    const directory = context({
      Dockerfile:
        "FROM busybox AS made\nRUN mkdir /out && echo out >/out/file\nFROM scratch\nCOPY --from=made /out /\n",
    });
    const to = (name: string) => join(box.directory, name);
    await box.ok("build", "-o", to("plain"), directory);
    assert.equal(readFileSync(to("plain/file"), "utf8"), "out\n");
    await box.ok("build", "--output", `type=tar,dest=${to("out.tar")}`, directory);
    assert.ok(statSync(to("out.tar")).size >= 1024);
    const { stdout } = await box.run(["build", "-o", "-", directory]);
    assert.match(stdout, /^file\0/);
    await box.ok("build", "-t", "archive", "--output", `type=docker,dest=${to("image.tar")}`, directory);
    await box.ok("load", "-i", to("image.tar"));
    await box.ok("build", "--output", `type=oci,dest=${to("layout")},tar=false`, directory);
    assert.ok(existsSync(to("layout/oci-layout")));
    await box.ok("build", "--load", "-t", "loaded", directory);
    await box.fails({ status: 1, stderr: /tag is needed when pushing/ }, "build", "--push", directory);
  });

  test("commands have limits, hosts and networks", async () => {
    const directory = context({
      Dockerfile:
        "FROM busybox\nRUN ulimit -n >/n; grep extra /etc/hosts >/h; ls /sys/class/net >/net; df /dev/shm | tail -1 | awk '{print $2}' >/shm\n",
    });
    await box.ok(
      "build",
      "-t",
      "limited",
      "--ulimit",
      "nofile=100:100",
      "--add-host",
      "extra:10.0.0.9",
      "--network",
      "none",
      "--shm-size",
      "8m",
      "--memory",
      "256m",
      directory,
    );
    assert.equal(await file("limited", "/n"), "100");
    assert.match(await file("limited", "/h"), /10\.0\.0\.9\s+extra/);
    assert.equal(await file("limited", "/net"), "lo");
    assert.equal(await file("limited", "/shm"), "8192");
  });

  test("mistakes in a Dockerfile are shown where they are", async () => {
    const directory = context({ Dockerfile: "FROM busybox\nRUNN x\n" });
    const shown =
      /^ERROR: Dockerfile:2:1: unknown instruction: RUNN \(did you mean RUN\?\)\n {2}1 \| FROM busybox\n {2}2 \| RUNN x\n {4}\| \^{4}$/m;
    await box.fails({ status: 1, stderr: shown }, "build", directory);
    const elsewhere = join(directory, "../Elsewhere");
    writeFileSync(elsewhere, "FROM busybox\nCOPY\n");
    await box.fails(
      { status: 1, stderr: /^ERROR: Elsewhere:2:1: COPY requires/m },
      "build",
      "-f",
      elsewhere,
      directory,
    );
  });

  test("a command that fails is shown with its last words", async () => {
    const directory = context({ Dockerfile: "FROM busybox\nRUN echo last words >&2; exit 7\n" });
    const { stderr } = await box.fails({ status: 1, stderr: /exit code: 7/ }, "build", "--progress=plain", directory);
    assert.match(stderr, /^------\n > \[2\/2\] RUN .*:\nlast words\n------$/m);
    const quiet = await box.run(["build", "-q", directory]);
    assert.equal(quiet.stdout, "");
    assert.match(quiet.stderr, /last words/);
  });

  test("a file is checked without being built", async () => {
    const directory = context({ Dockerfile: "FROM busybox AS Base\nWORKDIR x\nRUN exit 1\n" });
    const { status, stdout } = await box.run(["build", "--check", directory]);
    assert.equal(status, 1);
    assert.match(stdout, /^Check complete, 2 warnings have been found!$/m);
    assert.match(
      stdout,
      /^WARNING: StageNameCasing - https:\/\/\S+\nStage name 'Base' should be lowercase\nDockerfile:1$/m,
    );
    assert.match(stdout, /^ {2}2 \| WORKDIR x\n {4}\| \^+$/m);
    const clean = context({ Dockerfile: 'FROM busybox\nCMD ["x"]\n' });
    assert.equal(await box.ok("build", "--call", "check", clean), "Check complete, no warnings found.");
    const strict = context({ Dockerfile: "# check=error=true\nFROM busybox\nMAINTAINER x\nRUN true\n" });
    await box.fails({ status: 1, stderr: /lint violation found for rules: MaintainerDeprecated/ }, "build", strict);
    const loose = await box.run(["build", context({ Dockerfile: "FROM busybox\nMAINTAINER x\n" })]);
    assert.match(loose.stderr, /1 warning found .*\n - MaintainerDeprecated: .* \(line 2\)$/m);
  });

  test("targets and what they take are listed", async () => {
    const directory = context({
      Dockerfile:
        "# VERSION of it\nARG VERSION=1\n# tools has compilers\nFROM busybox AS tools\nFROM busybox AS app\nARG VERSION\nRUN --mount=type=secret,id=key,required true\n",
    });
    assert.equal(
      await box.ok("build", "--call=targets", directory),
      "TARGET          DESCRIPTION\ntools           has compilers\napp (default)",
    );
    const outline = await box.ok("build", "--call=outline", directory);
    assert.match(outline, /^VERSION +1 +of it$/m);
    assert.match(outline, /^key +true$/m);
  });

  test("what makes no sense is refused before anything is sent", async () => {
    const directory = context({ Dockerfile: "FROM busybox\n" });
    const refused = (stderr: RegExp, ...args: string[]) => box.fails({ status: 1, stderr }, "build", ...args);
    await refused(/path ".*nowhere" not found/, join(directory, "nowhere"));
    await refused(/no such file or directory/, "-f", join(directory, "nofile"), directory);
    await refused(/can't use stdin for both/, "-f", "-", "-");
    const usage = (stderr: RegExp, ...args: string[]) =>
      box.fails({ status: 125, stderr }, "build", ...args, directory);
    await usage(/secret without id/, "--secret", "src=x");
    await usage(/attestations are not in this version/, "--sbom", "true");
    await usage(/unsupported isolation/, "--isolation", "hyperv");
    await refused(/SSH_AUTH_SOCK is not set/, "--ssh", "default", directory);
    await refused(/invalid progress mode/, "--progress", "loud", directory);
    await refused(/unsupported output type/, "-o", "type=nothing", directory);
    await refused(/target stage "no" could not be found/, "--target", "no", directory);
  });
});
