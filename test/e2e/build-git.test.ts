import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readdirSync, symlinkSync } from "node:fs";
import { createServer, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { TarEntry } from "../../src/storage/tar/entry.ts";
import { TarParser } from "../../src/storage/tar/parser.ts";
import { buildContext } from "../support/builds.ts";
import { docker } from "../support/docker.ts";
import { commit, type GitServer, git, type Intercept, repository, serveGit } from "../support/git.ts";
import { processesOf } from "../support/leaks.ts";
import { eventually } from "../support/process.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });
const sources = join(box.directory, "repositories");
const all = "FROM scratch\nCOPY . /\n";

/** What a build's result contains: modes and contents by path. */
function picture(archive: Buffer): Record<string, string> {
  const files: Record<string, string> = {};
  let current = "";
  const parser = new TarParser({
    entry: ({ name, type, mode, linkName }: TarEntry) => {
      current = name;
      files[name] = `${type} ${mode.toString(8)} ${linkName}`.trim();
    },
    data: (bytes) => {
      files[current] += ` ${bytes}`;
    },
    end: () => {},
  });
  parser.push(archive);
  parser.finish();
  return files;
}

/** The files that `sampan build ARGS…` makes. */
async function built(args: readonly string[], options: Parameters<typeof box.run>[1] = {}) {
  const { status, bytes, stderr } = await box.run(["build", "--progress=plain", "-o", "-", ...args], options);
  assert.equal(status, 0, stderr);
  return { files: picture(bytes), stderr };
}

/** `sampan build ARGS…`, which has to fail and say something that matches. */
async function fails(message: RegExp, ...args: string[]): Promise<string> {
  const { status, stderr } = await box.run(["build", "--progress=plain", ...args]);
  assert.match(stderr, message, args.join(" "));
  assert.equal(status, 1);
  return stderr;
}

function gits() {
  return processesOf(box.layout).filter(({ command }) => /\bgit\b.*fetch|git-remote/.test(command));
}

function builds(): string[] {
  const directory = join(box.layout.tmp, "builds");
  return existsSync(directory) ? readdirSync(directory) : [];
}

suite("builds from git repositories", requires("git", "docker"), () => {
  let server: GitServer;
  let first = "";
  let second = "";
  let url = "";
  let intercept: Intercept = () => false;

  before(async () => {
    const path = await repository(join(sources, "app.git"));
    first = await commit(path, {
      Dockerfile: all,
      ".dockerignore": "ignored\n",
      ignored: "not seen",
      text: "one\n",
      "tool*": "#!/bin/sh\n",
      ".gitattributes": "dos text eol=crlf\n",
      dos: "a\n",
      "sub/dir/Dockerfile": "FROM scratch\nCOPY x /x\n",
      "sub/dir/x": "x\n",
      "sub/other": "FROM scratch\nCOPY text /t\n",
    });
    await git(path, "tag", "-a", "-m", "the first", "v1");
    await git(path, "branch", "old");
    symlinkSync("sub/dir", join(path, "link"));
    symlinkSync("/etc", join(path, "out"));
    second = await commit(path, { text: "two\n" });
    server = await serveGit(sources, (request, response) => intercept(request, response));
    url = `http://${server.host}/app.git`;
  });
  after(async () => server[Symbol.asyncDispose]());

  test("branches, tags, commits, directories", async () => {
    const { files, stderr } = await built([url]);
    assert.deepEqual(files, {
      ".dockerignore": "file 644 ignored\n",
      ".gitattributes": "file 644 dos text eol=crlf\n",
      Dockerfile: `file 644 ${all}`,
      dos: "file 644 a\r\n",
      link: "symlink 777 sub/dir",
      out: "symlink 777 /etc",
      "sub/": "directory 755",
      "sub/dir/": "directory 755",
      "sub/dir/Dockerfile": "file 644 FROM scratch\nCOPY x /x\n",
      "sub/dir/x": "file 644 x\n",
      "sub/other": "file 644 FROM scratch\nCOPY text /t\n",
      text: "file 644 two\n",
      tool: "file 755 #!/bin/sh\n",
    });
    assert.match(stderr, new RegExp(`\\[internal\\] load git source ${url}\n#1 [\\d.]+ ${second}\trefs/heads/main\n`));
    for (const ref of ["#v1", "#old", `#${first}`, "#refs/tags/v1", "?tag=v1", "?branch=old", `?ref=${first}`]) {
      assert.equal((await built([`${url}${ref}`])).files.text, "file 644 one\n", ref);
    }
    for (const place of ["#main:sub/dir", "#:/sub/dir/", "?subdir=sub/dir", "#v1:sub/./dir", "#:link"]) {
      assert.deepEqual((await built([`${url}${place}`])).files, { x: "file 644 x\n" }, place);
    }
    assert.deepEqual((await built(["-f", "sub/other", `${url}#old`])).files, { t: "file 644 one\n" });
  });

  test("unchanged files are cached, whatever the commit; a moved branch is seen", async () => {
    const path = join(sources, "app.git");
    await built([`${url}#:sub/dir`]);
    await git(path, "commit", "--quiet", "--allow-empty", "-m", "another");
    assert.match((await built([`${url}#:sub/dir`])).stderr, /COPY x \/x\n#2 CACHED/);
    const dockerfile = `FROM scratch\nADD ${url}#moving:sub /a\n`;
    await git(path, "branch", "moving", first);
    const cold = await built(["-"], { input: dockerfile });
    assert.deepEqual(cold.files["a/dir/x"], "file 644 x\n");
    const asked = server.requests.length;
    assert.match((await built(["-"], { input: dockerfile })).stderr, /ADD .*\n#1 CACHED/);
    const requests = server.requests.slice(asked);
    assert.ok(requests.length <= 2, "the commit is asked for, the files are not");
    await git(path, "branch", "--force", "moving", "main");
    assert.doesNotMatch((await built(["-"], { input: dockerfile })).stderr, /CACHED/);
  });

  test("ADD: with and without .git, with a checksum", async () => {
    const add = (words: string) => ["FROM scratch", `ADD ${words} /r/`].join("\n");
    const { files } = await built(["-"], { input: add(`--chmod=700 --exclude=sub ${url}#v1`) });
    assert.equal(files["r/text"], "file 700 one\n");
    assert.deepEqual(
      Object.keys(files).filter((name) => /\.git\/|sub/.test(name)),
      [],
    );
    const kept = (await built(["-"], { input: add(`--keep-git-dir ${url}#v1`) })).files;
    assert.equal(kept["r/.git/HEAD"], `file 644 ${first}\n`);
    assert.match(kept["r/.git/config"] ?? "", new RegExp(`url = ${url}\n`));
    assert.ok(!Object.keys(kept).some((name) => name.includes("hooks/")));
    assert.ok((await built(["-"], { input: add(`${url}?keep-git-dir=1`) })).files["r/.git/HEAD"]);
    await built(["-"], { input: add(`--checksum=${first.slice(0, 12)} ${url}#v1`) });
    const wrong = await box.run(["build", "-"], { input: add(`--checksum=${second} ${url}#v1`) });
    assert.match(wrong.stderr, new RegExp(`expected checksum to match ${second}, got ${first}`));
  });

  test("BUILDKIT_CONTEXT_KEEP_GIT_DIR keeps .git, the same every time", async () => {
    const keep = ["--build-arg", "BUILDKIT_CONTEXT_KEEP_GIT_DIR=1", `${url}#old`];
    const { files } = await built(keep);
    assert.equal(files[".git/HEAD"], `file 644 ${first}\n`);
    assert.match((await built(keep)).stderr, /COPY \. \/\n#2 CACHED/);
  });

  test("contexts by name, a Dockerfile from stdin, directories beside a repository", async () => {
    const local = buildContext(box, { Dockerfile: ["FROM scratch", "COPY --from=lib text /lib"], own: "own\n" });
    assert.deepEqual((await built(["--build-context", `lib=${url}#v1`, local])).files, { lib: "file 644 one\n" });
    const asked = server.requests.length;
    const unused = ["--build-context", `lib=${url}#v1`, "-"];
    await built(unused, { input: "FROM scratch\nCOPY <<x /x\nx\n" });
    assert.equal(server.requests.length, asked, "a context that nothing needs is not fetched");
    const input = "FROM scratch\nCOPY text /a\nCOPY --from=here own /b\n";
    const both = await built(["-f", "-", "--build-context", `here=${local}`, `${url}#v1`], { input });
    assert.deepEqual(both.files, { a: "file 644 one\n", b: "file 644 own\n" });
  });

  test("docker's own client makes the same of a repository, and POST /build?remote= too", async () => {
    for (const [place, name] of [
      ["#main", "whole"],
      ["#v1:sub/dir", "part"],
    ] as const) {
      const args = ["build", "-q", "-t", `docker-${name}`, `${url}${place}`];
      const { status, stderr } = await docker(box, args, { env: { DOCKER_BUILDKIT: "0" } });
      assert.equal(status, 0, stderr);
      const query = new URLSearchParams({ remote: `${url}${place}`, t: `api-${name}` });
      const answer = await box.api("POST", `/build?${query}`);
      assert.match(answer.text, /Successfully tagged/);
      const [theirs = {}, ours = {}] = await Promise.all(
        ["docker", "api"].map(async (by) => (await built(["-"], { input: `FROM ${by}-${name}\n` })).files),
      );
      // Its client sends `.git`, as it did before BuildKit.
      const plain = Object.entries(theirs).filter(([path]) => !path.startsWith(".git/"));
      assert.deepEqual(ours, Object.fromEntries(plain));
    }
  });

  test("submodules, theirs too, without leave to read this machine", async () => {
    const inner = await repository(join(sources, "inner.git"));
    await commit(inner, { deep: "deep\n" });
    const outer = await repository(join(sources, "outer.git"));
    await commit(outer, { middle: "middle\n" });
    await git(outer, "submodule", "--quiet", "add", "../inner.git", "in");
    await git(outer, "config", "-f", ".gitmodules", "submodule.in.url", "../inner.git");
    await commit(outer, {});
    const top = await repository(join(sources, "top.git"));
    await git(top, "submodule", "--quiet", "add", outer, "out");
    await git(top, "config", "-f", ".gitmodules", "submodule.out.url", "../outer.git");
    await commit(top, { Dockerfile: all });
    const address = `http://${server.host}/top.git`;
    const { files } = await built([address]);
    assert.equal(files["out/in/deep"], "file 644 deep\n");
    assert.ok(!("out/.git" in files) && !("out/in/.git" in files));
    const keep = ["--build-arg", "BUILDKIT_CONTEXT_KEEP_GIT_DIR=true", address];
    const kept = (await built(keep)).files;
    assert.equal(kept["out/.git"], "file 644 gitdir: ../.git/modules/out\n");
    assert.ok(!Object.keys(kept).some((name) => name.includes("hooks/")));
    assert.match((await built(keep)).stderr, /COPY \. \/\n#2 CACHED/);
    const without = (await built([`${address}?submodules=0`])).files;
    assert.ok(!("out/middle" in without));
    await git(top, "config", "-f", ".gitmodules", "submodule.out.url", `file://${outer}`);
    await commit(top, {});
    await fails(/transport 'file' not allowed/, address);
  });

  test("a server that gives no commits but the tips: all of it is fetched", async () => {
    intercept = (request) => {
      delete request.headers["git-protocol"];
      return false;
    };
    assert.equal((await built([`${url}#${first}`])).files.text, "file 644 one\n");
    intercept = () => false;
    await fails(/the repository has no commit 0{40}/, `${url}#${"0".repeat(40)}`);
  });

  test("credentials reach their server, and nothing else", async () => {
    const wanted = (login: string) => `basic ${Buffer.from(login).toString("base64")}`.toLowerCase();
    let expected = wanted("me:pass word");
    intercept = ({ headers }, response) => {
      if (headers.authorization?.toLowerCase() === expected) return false;
      response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
      return true;
    };
    try {
      await fails(/give a token with --secret id=GIT_AUTH_TOKEN/, url);
      const login = url.replace("//", "//me:pass%20word@");
      const dockerfile = `FROM scratch\nADD --keep-git-dir ${login}#v1 /r\n`;
      const { files, stderr } = await built(["-"], { input: dockerfile });
      assert.doesNotMatch(JSON.stringify(files), /pass%20word|pass word/);
      await box.ok("build", "-q", "-t", "hidden", `${login}#v1:sub/dir`);
      assert.doesNotMatch(await box.ok("history", "--no-trunc", "hidden"), /pass/);
      assert.doesNotMatch(
        (await built([login])).stderr + stderr.replaceAll(dockerfile, ""),
        /pass word|pass%20word@.*git source/,
      );
      expected = wanted("x-access-token:t0ken");
      await fails(/the credentials were refused/, login);
      const env = { GIT_AUTH_TOKEN: "t0ken" };
      assert.equal((await built(["--secret", "id=GIT_AUTH_TOKEN", `${url}#v1`], { env })).files.text, "file 644 one\n");
      expected = "bearer abc";
      const header = { FOR_THIS_HOST: "Bearer abc" };
      await built(["--secret", `id=GIT_AUTH_HEADER.${server.host},env=FOR_THIS_HOST`, url], { env: header });
      expected = wanted("x-access-token:t0ken");
      const [outer, input] = [`http://${server.host}/outer.git`, all];
      const inside = await built(["--secret", "id=GIT_AUTH_TOKEN", "-f", "-", outer], { env, input });
      assert.equal(inside.files["in/deep"], "file 644 deep\n", "its submodules get it, too");
      // Another host gets none of it, whoever says so.
      const heard: (string | undefined)[] = [];
      const other = createServer((request, response) => {
        heard.push(request.headers.authorization);
        response.writeHead(404).end();
      });
      await once(other.listen(0, "127.0.0.1"), "listening");
      const { port } = other.address() as AddressInfo;
      intercept = (request, response) => {
        response.writeHead(302, { location: `http://127.0.0.1:${port}${request.url}` }).end();
        return true;
      };
      const redirected = await box.run(["build", "--secret", "id=GIT_AUTH_TOKEN", url], { env });
      assert.match(redirected.stderr, /credentials do not go along with a redirection/);
      assert.deepEqual(heard, []);
      other.close();
    } finally {
      intercept = () => false;
    }
  });

  test("what is not there, and what breaks off", async () => {
    await fails(/repository does not contain ref nope/, `${url}#nope`);
    await fails(/it is to be written in full/, `${url}#${first.slice(0, 10)}`);
    await fails(/Cannot use the directory no\/where of \S+app\.git: there is no such directory/, `${url}#:no/where`);
    await fails(/Cannot use the directory out of .*: there is no such directory/, `${url}#:out`);
    await fails(/it is no directory/, `${url}#:text`);
    await fails(/Cannot locate specified Dockerfile: Dockerfile/, `${url}#:sub`);
    await fails(/repository '.*' not found/, `http://${server.host}/none.git`);
    await fails(/Could not resolve host: nowhere\.invalid/, "http://nowhere.invalid/a.git");
    await fails(/ssh needs the keys of an agent; lend one with --ssh default/, "git@127.0.0.1:a.git");
    await fails(/unexpected query "x"/, `${url}?x=1`);
    await fails(/"--upload-pack=touch" is no name/, `${url}#--upload-pack=touch`);
    const query = new URLSearchParams({ remote: `file://${join(sources, "app.git")}` });
    assert.match((await box.api("POST", `/build?${query}`)).text, /could not be recognized as URL/);
    await repository(join(sources, "empty.git"));
    await fails(/no default branch: it may be empty/, `http://${server.host}/empty.git`);
    intercept = (request, response) => {
      if (request.method !== "POST") return false;
      response.writeHead(200, { "content-type": "application/x-git-upload-pack-result", "content-length": "1000" });
      response.write("0008NAK\n", () => response.destroy());
      return true;
    };
    await fails(/Cannot fetch \S+app\.git#v1: /, `${url}#${first}`.replace(first, "v1"));
    intercept = () => false;
    assert.deepEqual(builds(), []);
  });

  test("git ends with a build that is cancelled, and leaves nothing", async () => {
    let isHeld = false;
    intercept = ({ method }) => {
      isHeld ||= method === "POST";
      return method === "POST";
    };
    const path = `/build?${new URLSearchParams({ remote: `${url}?ref=${first}` })}`;
    const building = request({ socketPath: box.layout.apiSocket, method: "POST", path });
    building.on("error", () => {});
    building.end();
    await eventually("the server is asked for files", () => isHeld);
    assert.notDeepEqual(gits(), []);
    building.destroy();
    await eventually("git ends", () => gits().length === 0);
    await eventually("its files are gone", () => builds().length === 0);
    intercept = () => false;
  });

  test("a daemon that is killed while git works takes it along, and builds again", async () => {
    const held = new Set<ServerResponse>();
    intercept = ({ method }, response) => {
      if (method === "POST") held.add(response);
      return method === "POST";
    };
    const left = box.run(["build", url]);
    await eventually("the server is asked for files", () => held.size > 0);
    assert.notDeepEqual(gits(), []);
    await box.stop("SIGKILL");
    assert.notEqual((await left).status, 0);
    // The server still holds its answers back: nothing but the daemon's end could have ended git, and what downloads for it.
    await eventually("git ends", () => gits().length === 0);
    await box.start();
    intercept = () => false;
    assert.equal((await built([`${url}#v1`])).files.text, "file 644 one\n");
    assert.deepEqual(builds(), []);
    for (const response of held) response.destroy();
  });
});

const bare = sandbox({ env: { PATH: "/nonexistent" } });

suite("builds from git repositories, without git", () => {
  test("are refused with the remedy", async () => {
    const { status, stderr } = await bare.run(["build", "https://127.0.0.1/a.git"]);
    assert.match(stderr, /there is no git on the daemon's machine; install it, or clone the repository/);
    assert.equal(status, 1);
  });
});
