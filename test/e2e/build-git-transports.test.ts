import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { commit, git, repository, serveGit } from "../support/git.ts";
import { eventually, succeed } from "../support/process.ts";
import { freePort } from "../support/registry.ts";
import { program, requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox();
const place = (...names: string[]) => join(box.directory, ...names);
const sources = place("repositories");
// The daemon sees a /etc/ssh of the test's.
const etc = place("etc-ssh");
const inside = 'mount --bind "$0" /etc/ssh && exec "$@"';

async function answers(port: number): Promise<void> {
  const probe = () =>
    new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("error", () => resolve(false));
      socket.once("connect", () => resolve(true)).once("connect", () => socket.destroy());
    });
  await eventually(`port ${port} answers`, probe);
}

/** Builds without anything but the repository's one file, which is told. */
async function build(...args: string[]) {
  const { status, stdout, stderr } = await box.run(["build", "--progress=plain", "-o", "-", ...args]);
  return { status, stderr, hasFile: stdout.includes("the content") };
}

suite("git over ssh, git:// and plain files on a web server", requires("git", "sshd", "ssh-agent", "unshare"), () => {
  const children: ChildProcess[] = [];
  const port = { ssh: 0, git: 0 };
  const start = (file: string, args: readonly string[]) => {
    children.push(spawn(file, args, { stdio: "ignore", detached: true }));
  };
  const agent = place("agent");
  let first = "";

  before(async () => {
    const path = await repository(join(sources, "app.git"));
    first = await commit(path, { Dockerfile: "FROM scratch\nCOPY text /text\n", text: "the content" });
    await commit(path, { more: "" });
    mkdirSync(etc);
    box.enter = ["unshare", "--mount", "--propagation", "private", "sh", "-c", inside, etc];
    Object.assign(port, { ssh: await freePort(), git: await freePort() });
    for (const name of ["host", "user", "stranger"]) {
      await succeed("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", place(name)]);
    }
    const config = [
      `ListenAddress 127.0.0.1:${port.ssh}`,
      `HostKey ${place("host")}`,
      `AuthorizedKeysFile ${place("user.pub")}`,
      "StrictModes no",
      "UsePAM no",
      "PidFile none",
      "PermitRootLogin yes",
    ];
    writeFileSync(place("sshd_config"), `${config.join("\n")}\n`);
    const sshd = `mount -t tmpfs tmpfs /run && mkdir /run/sshd && exec ${program("sshd")} -D -f "$0"`;
    start("unshare", ["--mount", "--propagation", "private", "sh", "-c", sshd, place("sshd_config")]);
    start("ssh-agent", ["-D", "-a", agent]);
    const listen = ["--listen=127.0.0.1", `--port=${port.git}`, "--reuseaddr"];
    start("git", ["-c", "safe.directory=*", "daemon", ...listen, "--export-all", `--base-path=${sources}`, sources]);
    await answers(port.ssh);
    await answers(port.git);
    await eventually("the agent takes a key", () =>
      succeed("ssh-add", ["-q", place("user")], { env: { SSH_AUTH_SOCK: agent } }).then(
        () => true,
        () => false,
      ),
    );
    await box.start();
  });

  after(async () => {
    for (const child of children) {
      const ended = once(child, "exit");
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
      else continue;
      await ended;
    }
  });

  test("ssh: with the agent's key, to a host whose key is known", async () => {
    const url = `ssh://root@127.0.0.1:${port.ssh}${sources}/app.git`;
    const lent = ["--ssh", `default=${agent}`];
    const unknown = await build(...lent, url);
    assert.match(unknown.stderr, /Host key verification failed.*add it to \/etc\/ssh\/ssh_known_hosts/);
    const know = (name: string) => {
      const key = readFileSync(place(`${name}.pub`), "utf8");
      writeFileSync(join(etc, "ssh_known_hosts"), `[127.0.0.1]:${port.ssh} ${key}`);
    };
    know("stranger");
    assert.match((await build(...lent, url)).stderr, /Host key verification failed/);
    know("host");
    assert.deepEqual(await build(...lent, url).then(({ status, hasFile }) => [status, hasFile]), [0, true]);
    await succeed("ssh-add", ["-q", "-D"], { env: { SSH_AUTH_SOCK: agent } });
    assert.match((await build(...lent, url)).stderr, /Permission denied.*has no key that the host accepts/);
  });

  test("git://", async () => {
    const url = `git://127.0.0.1:${port.git}/app.git`;
    assert.equal((await build(url)).hasFile, true);
    assert.equal((await build(`${url}#${first}`)).hasFile, true);
    assert.match((await build(`git://127.0.0.1:${port.git}/none.git`)).stderr, /ERROR: Cannot fetch \S+none\.git: /);
  });

  test("a web server that knows nothing of git: all of it is fetched", async () => {
    const path = join(sources, "app.git");
    await git(path, "update-server-info");
    await using server = await serveGit(sources, ({ url = "" }, response) => {
      try {
        response.end(readFileSync(join(path, ".git", url.replace(/^\/app\.git/, "").replace(/\?.*/, ""))));
      } catch {
        response.writeHead(404).end();
      }
      return true;
    });
    const url = `http://${server.host}/app.git`;
    assert.equal((await build(url)).hasFile, true);
    assert.equal((await build(`${url}#${first}`)).hasFile, true);
  });
});
