import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { test } from "node:test";
import { chooseOutput, parseOutput, requestedOutputs } from "./outputs.ts";
import { checkSummary, lintList, outlineText, targetsText } from "./report.ts";
import { namedContexts } from "./request.ts";
import { agentSockets, parseAgent, parseSecret, readSecrets } from "./secrets.ts";
import { archiveOrDockerfile } from "./standard-input.ts";

test("secrets come from files and variables", () => {
  const directory = mkdtempSync(join(tmpdir(), "sampan-secret-"));
  const file = join(directory, "token");
  writeFileSync(file, "from a file");
  const read = (text: string, env = {}) =>
    Buffer.from(readSecrets([parseSecret(text)], env).a ?? "", "base64").toString();
  assert.equal(read(`id=a,src=${file}`), "from a file");
  assert.equal(read(`type=file,id=a,source=${file}`), "from a file");
  assert.equal(read("id=a,env=A", { A: "from a variable" }), "from a variable");
  assert.equal(read("type=env,id=a,src=A", { A: "from a variable" }), "from a variable");
  assert.equal(read("id=a", { a: "named alike" }), "named alike");
  assert.throws(() => read("id=a,env=A"), /the environment variable A is not set/);
  assert.throws(() => read(`id=a,src=${file}.no`), /no such file or directory/);
  assert.throws(() => parseSecret("src=x"), /secret without id/);
  assert.throws(() => parseSecret("id=a,scr=x"), /unexpected key 'scr'/);
  rmSync(directory, { recursive: true });
});

test("agents are sockets", () => {
  assert.deepEqual(parseAgent("default"), { id: "default", socket: undefined });
  assert.deepEqual(parseAgent("work=/run/a"), { id: "work", socket: "/run/a" });
  assert.throws(() => agentSockets([parseAgent("default")], {}), /SSH_AUTH_SOCK is not set/);
  assert.throws(() => agentSockets([parseAgent("a=/etc/passwd")], {}), /is no socket/);
});

test("outputs are directories, archives and images", () => {
  assert.deepEqual(parseOutput("out"), { kind: "directory", path: "out" });
  assert.deepEqual(parseOutput("-"), { kind: "tar", path: "-" });
  assert.deepEqual(parseOutput("type=local,dest=out"), { kind: "directory", path: "out" });
  assert.deepEqual(parseOutput("type=tar,dest=a.tar"), { kind: "tar", path: "a.tar" });
  const layout = { kind: "archive", path: "a", unpacked: true } as const;
  assert.deepEqual(parseOutput("type=oci,dest=a,tar=false"), { ...layout, attributes: {} });
  const attributes = { "rewrite-timestamp": "true" };
  assert.deepEqual(parseOutput("type=oci,dest=a,tar=false,rewrite-timestamp=true"), { ...layout, attributes });
  assert.deepEqual(parseOutput('type=image,"name=a,b",push=true'), {
    kind: "image",
    names: ["a", "b"],
    push: true,
    attributes: {},
  });
  assert.throws(() => parseOutput("type=local"), /dest is required/);
  assert.throws(() => parseOutput("dest=x"), /type is required for output/);
  assert.throws(() => parseOutput("type=tarball"), /unsupported output type: tarball/);
  assert.throws(() => parseOutput("type=local,push=true"), /output of type local has no push/);
});

test("one build has one output", () => {
  const no = { push: false, load: false };
  assert.equal(chooseOutput([], no).kind, "image");
  assert.partialDeepStrictEqual(chooseOutput(["type=docker"], { push: true, load: true }), { push: true });
  assert.throws(() => chooseOutput(["type=tar", "type=image"], no), /several outputs/);
  assert.deepEqual(requestedOutputs(parseOutput("out")), [{ Type: "tar", Attrs: {} }]);
  assert.deepEqual(requestedOutputs(parseOutput("type=image,compression=zstd")), [
    { Type: "image", Attrs: { compression: "zstd" } },
  ]);
  const rewritten = [{ Type: "image", Attrs: { "rewrite-timestamp": "true" } }];
  assert.deepEqual(requestedOutputs(parseOutput("type=docker,dest=a,rewrite-timestamp=true")), rewritten);
  assert.equal(requestedOutputs(parseOutput("type=docker,dest=a")), undefined);
  assert.equal(requestedOutputs(parseOutput("type=docker")), undefined);
});

test("named contexts are directories or references", () => {
  assert.deepEqual(namedContexts(["A=./x", "b=docker-image://alpine", "c=https://x/y.git"]), {
    directories: { a: "./x" },
    others: { b: "docker-image://alpine", c: "https://x/y.git" },
  });
});

test("stdin is an archive or a Dockerfile", async () => {
  const given = (bytes: Buffer) => archiveOrDockerfile(Readable.from([bytes.subarray(0, 3), bytes.subarray(3)]));
  assert.partialDeepStrictEqual(await given(Buffer.from("FROM scratch\n")), { text: "FROM scratch\n" });
  assert.ok("archive" in (await given(Buffer.from([0x1f, 0x8b, 8, 0, 0]))));
  const tar = Buffer.alloc(1024);
  tar.write("ustar", 257);
  const archive = await given(tar);
  assert.ok("archive" in archive);
  assert.equal(Buffer.concat(await Array.fromAsync(archive.archive)).length, 1024);
  await assert.rejects(archiveOrDockerfile(Readable.from([])), /stdin is empty/);
});

test("reports are tables", () => {
  assert.equal(checkSummary(0), "Check complete, no warnings found.");
  assert.equal(checkSummary(2), "Check complete, 2 warnings have been found!");
  assert.equal(lintList([]), "");
  const targets = [
    { name: "tools", default: false, description: "has compilers" },
    { name: "", default: true, description: "" },
  ];
  assert.equal(targetsText(targets), "TARGET      DESCRIPTION\ntools       has compilers\n(default)\n");
  const outline = { name: "app", description: "", args: [{ name: "V", value: "1", description: "version" }], ssh: [] };
  assert.equal(
    outlineText({ ...outline, secrets: [{ name: "npm", required: true }] }),
    "TARGET:       app\n\nBUILD ARG   VALUE   DESCRIPTION\nV           1       version\n\nSECRET   REQUIRED\nnpm      true\n",
  );
});
