import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { after, before, suite, test } from "node:test";
import { buildContext } from "../support/builds.ts";
import { buildx, buildxOf, requiresPlugins } from "../support/buildx.ts";
import { dockerOf } from "../support/docker.ts";
import { commit, type GitServer, repository, serveGit } from "../support/git.ts";
import { busybox } from "../support/images.ts";
import { eventually, succeed } from "../support/process.ts";
import { program, requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });
const { ok } = dockerOf(box);
const { built, refused } = buildxOf(box);
const place = (...names: string[]) => join(box.directory, ...names);
const context = (files: Parameters<typeof buildContext>[1]) => buildContext(box, files);

/** Copies a program of this machine and its libraries, to where they have the same paths. */
function copyProgram(name: string, root: string): void {
  const file = program(name) ?? name;
  const libraries = execFileSync("ldd", [file], { encoding: "utf8" }).match(/\/\S+(?= \()/g) ?? [];
  for (const path of [file, ...libraries]) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    copyFileSync(path, join(root, path));
  }
}

suite("ssh agents that buildx lends", { ...requiresPlugins("docker-buildx"), ...requires("ssh-agent") }, () => {
  let agent: ChildProcess | undefined;
  const socket = place("agent");
  before(async () => {
    await box.load(await busybox(), "busybox:latest");
    agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
    await eventually("the agent listens", () => existsSync(socket));
    await succeed("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "lent", "-f", place("key")]);
    await succeed("ssh-add", ["-q", place("key")], { env: { SSH_AUTH_SOCK: socket } });
  });
  after(() => agent?.kill());

  test("a command signs with the client's key, over several connections at once", async () => {
    const directory = context({
      Dockerfile: [
        "FROM busybox",
        "COPY root /",
        "COPY key.pub /key.pub",
        "RUN --mount=type=ssh ssh-add -L >/keys && ssh-add -T /key.pub && echo signed",
        'RUN --mount=type=ssh,id=other,required for n in 1 2 3 4 5 6; do ssh-add -T /key.pub & p="$p $!"; done; for p in $p; do wait $p || exit; done',
        'RUN test -z "$SSH_AUTH_SOCK"',
      ],
      "key.pub": readFileSync(place("key.pub")),
    });
    copyProgram("ssh-add", join(directory, "root"));
    const env = { SSH_AUTH_SOCK: socket };
    const args = ["--ssh", "default", "--ssh", `other=${socket}`, "-t", "signed", directory];
    const { status, stderr } = await buildx(box, args, { env });
    assert.equal(status, 0, stderr);
    assert.match(stderr, /^#\d+ [\d.]+ signed$/m);
    const keys = await ok("run", "--rm", "--network", "none", "signed", "cat", "/keys");
    assert.equal(keys, readFileSync(place("key.pub"), "utf8").trim());
  });

  test("an agent that has gone is told by the command", async () => {
    const directory = context({ Dockerfile: ["FROM signed", "RUN --mount=type=ssh ssh-add -L"] });
    await refused(/did not complete successfully|agent|ssh/, "--no-cache", directory);
  });
});

suite("contexts from elsewhere with buildx", { ...requiresPlugins("docker-buildx"), ...requires("git") }, () => {
  let server: GitServer;
  before(async () => {
    const path = await repository(place("repositories", "app.git"));
    await commit(path, {
      Dockerfile: "FROM scratch\nCOPY text /\n",
      text: "first\n",
      "sub/Dockerfile": "FROM scratch\nCOPY x /\n",
      "sub/x": "sub\n",
    });
    server = await serveGit(place("repositories"), (request, response) => {
      if (!request.url?.startsWith("/private/")) return false;
      const authorization = request.headers.authorization ?? "";
      if (Buffer.from(authorization.slice(6), "base64").toString() === "x-access-token:let-me-in") {
        request.url = request.url.replace("/private/", "/");
        return false;
      }
      response.writeHead(401, { "www-authenticate": "Basic" }).end();
      return true;
    });
  });
  after(() => server?.[Symbol.asyncDispose]());

  test("a repository, a branch and a directory of it; nothing of the client's is sent", async () => {
    const output = place("git");
    const url = `http://${server.host}/app.git`;
    assert.doesNotMatch(await built("-o", output, url), /transferring context/);
    assert.equal(readFileSync(join(output, "text"), "utf8"), "first\n");
    await built("-o", output, `${url}#main:sub`);
    assert.equal(readFileSync(join(output, "x"), "utf8"), "sub\n");
    await built(
      "-o",
      output,
      "--build-context",
      `app=${url}`,
      context({ Dockerfile: "FROM scratch\nCOPY --from=app text /named\n" }),
    );
    assert.equal(readFileSync(join(output, "named"), "utf8"), "first\n");
  });

  test("a private repository, by the client's token", async () => {
    const url = `http://${server.host}/private/app.git`;
    await refused(/Authentication|could not read|unauthorized|credential|401/i, "-o", place("none"), url);
    const env = { TOKEN: "let-me-in" };
    const args = ["--secret", "id=GIT_AUTH_TOKEN,env=TOKEN", "-o", place("private"), url];
    const { status, stderr } = await buildx(box, args, { env });
    assert.equal(status, 0, stderr);
    assert.doesNotMatch(stderr, /let-me-in/);
    assert.equal(readFileSync(place("private", "text"), "utf8"), "first\n");
  });

  test("an archive and a Dockerfile of a web server", async () => {
    const directory = context({ Dockerfile: "FROM scratch\nCOPY text /archived\n", text: "archived\n" });
    const archive = execFileSync("tar", ["-C", directory, "-cz", "."]);
    const web = createServer((request, response) => {
      if (request.url === "/context.tar.gz") response.end(archive);
      else if (request.url === "/Dockerfile") response.end("FROM scratch\nCOPY Dockerfile /only\n");
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
    try {
      await built("-o", place("web"), `${url}/context.tar.gz`);
      assert.equal(readFileSync(place("web", "archived"), "utf8"), "archived\n");
      await refused(/404|not found/i, "-o", place("web"), `${url}/missing.tar.gz`);
    } finally {
      web.close();
      web.closeAllConnections();
    }
  });
});
