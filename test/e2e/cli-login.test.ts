import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { requiresRoot } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const right = `Basic ${Buffer.from("user:right").toString("base64")}`;

/** A registry that knows one user, and has no images. */
function registry(): Server {
  return createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.authorization ?? "-"}`);
    if (request.headers.authorization !== right) {
      response.writeHead(401, { "WWW-Authenticate": 'Basic realm="here"' }).end();
    } else response.writeHead(request.url === "/v2/" ? 200 : 404).end();
  });
}

const asked: string[] = [];
const server = registry();
let host = "";

after(() => server.close());

const box = sandbox();
const docker = join(box.directory, "docker");
const config = join(docker, "config.json");
const env = { DOCKER_CONFIG: docker };

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  await box.start();
});

beforeEach(() => {
  mkdirSync(docker, { recursive: true });
  writeFileSync(config, '{ "psFormat": "kept" }');
  asked.length = 0;
});

const stored = () => JSON.parse(readFileSync(config, "utf8")) as Record<string, unknown>;

test("login keeps the credentials in docker's file, pull sends them, logout forgets them", requiresRoot(), async () => {
  const login = await box.run(["login", "-u", "user", "--password-stdin", host], { env, input: "right\n" });
  assert.deepEqual([login.status, login.stdout], [0, "Login Succeeded\n"]);
  assert.match(login.stderr, /WARNING! Your credentials are stored unencrypted in '.*config\.json'/);
  const auth = Buffer.from("user:right").toString("base64");
  assert.deepEqual(stored(), { psFormat: "kept", auths: { [host]: { auth } } });
  assert.equal(statSync(config).mode & 0o777, 0o600);
  asked.length = 0;
  const pull = await box.run(["pull", `${host}/nothing:1`], { env });
  assert.notEqual(pull.status, 0);
  assert.ok(
    asked.some((line) => line.startsWith("/v2/nothing/") && line.endsWith(right)),
    asked.join("\n"),
  );
  const logout = await box.run(["logout", host], { env });
  assert.equal(logout.stdout, `Removing login credentials for ${host}\n`);
  assert.deepEqual(stored(), { psFormat: "kept", auths: {} });
  assert.equal((await box.run(["logout", host], { env })).stdout, `Not logged in to ${host}\n`);
});

test("wrong credentials are refused and not kept", requiresRoot(), async () => {
  const { status, stderr } = await box.run(["login", "-u", "user", "-p", "wrong", host], { env });
  assert.equal(status, 1);
  assert.match(stderr, /WARNING! Using --password via the CLI is insecure/);
  assert.match(stderr, /Error response from daemon/);
  assert.deepEqual(stored(), { psFormat: "kept" });
});

test("what docker refuses is refused", requiresRoot(), async () => {
  const refusals: [args: string[], words: RegExp][] = [
    [["--password-stdin"], /Must provide --username with --password-stdin/],
    [["-u", "x", "-p", "y", "--password-stdin"], /--password and --password-stdin are mutually exclusive/],
    [["-u", "x"], /Cannot perform an interactive login from a non TTY device/],
  ];
  for (const [args, words] of refusals) {
    const { status, stderr } = await box.run(["login", ...args, host], { env });
    assert.equal(status, 1);
    assert.match(stderr, words);
  }
});

test("a credential helper keeps what the file does not", requiresRoot(), async () => {
  const programs = join(box.directory, "programs");
  const vault = join(box.directory, "vault");
  mkdirSync(programs, { recursive: true });
  const helper = join(programs, "docker-credential-test");
  const script = `#!/bin/sh
case $1 in
store) cat >'${vault}' ;;
get) [ -e '${vault}' ] || { echo 'credentials not found in native keychain'; exit 1; }; cat '${vault}' ;;
erase) rm -f '${vault}' ;;
esac
`;
  writeFileSync(helper, script);
  chmodSync(helper, 0o755);
  writeFileSync(config, JSON.stringify({ credsStore: "test" }));
  const withHelper = { ...env, PATH: `${programs}:${process.env.PATH}` };
  const options = { env: withHelper, input: "right" };
  const login = await box.run(["login", "-u", "user", "--password-stdin", host], options);
  assert.deepEqual([login.status, login.stderr], [0, ""]);
  assert.deepEqual(stored(), { credsStore: "test", auths: { [host]: {} } });
  assert.deepEqual(JSON.parse(readFileSync(vault, "utf8")), { ServerURL: host, Username: "user", Secret: "right" });
  asked.length = 0;
  await box.run(["pull", `${host}/nothing:1`], { env: withHelper });
  assert.ok(asked.some((line) => line.startsWith("/v2/nothing/") && line.endsWith(right)));
  assert.equal(
    (await box.run(["login", host], { env: withHelper })).stdout,
    "Login Succeeded\n",
    "what is known is used",
  );
  await box.run(["logout", host], { env: withHelper });
  assert.ok(!existsSync(vault));
});

test("rename and restart", requiresRoot(), async () => {
  await box.ok("run", "-d", "--name", "old", "--network", "none", "sampan/host", "sleep", "1000");
  assert.equal(await box.ok("rename", "old", "new"), "");
  const first = await box.ok("inspect", "-f", "{{.State.StartedAt}}", "new");
  assert.equal(await box.ok("restart", "-t", "0", "new"), "new");
  assert.notEqual(await box.ok("inspect", "-f", "{{.State.StartedAt}}", "new"), first);
  await box.fails({ status: 1, stderr: /No such container: old/ }, "container", "restart", "old");
  await box.fails({ status: 1, stderr: /neither old nor new names may be empty/i }, "rename", "new", " ");
});

test("commands of docker's that are not there are told from slips", requiresRoot(), async () => {
  const stderr = /^sampan: 'checkpoint' is not there: checkpoints are not in this version of Sampan yet$/m;
  await box.fails({ status: 1, stderr }, "checkpoint", "ls", "x");
  await box.fails({ status: 1, stderr: /Sampan has no swarm/ }, "stack", "ls");
  await box.fails({ status: 1, stderr: /unknown command: sampan rename2.*Did you mean 'sampan rename'/s }, "rename2");
});
