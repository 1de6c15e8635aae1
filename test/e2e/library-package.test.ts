import assert from "node:assert/strict";
import { globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { before, test } from "node:test";
import { succeed } from "../support/process.ts";
import { requires, requiresRoot } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const checkout = resolve(import.meta.dirname, "../..");
const box = sandbox();
const project = join(box.directory, "project");
const needs = { ...requires("npm"), ...requiresRoot() };

/** The examples of docs/library.md, and what they say they print: the ends of lines behind `//=>`. */
const examples = [...readFileSync(join(checkout, "docs/library.md"), "utf8").matchAll(/^```ts\n(.*?)^```$/gms)].map(
  ([, source = ""]) => ({ source, printed: [...source.matchAll(/\/\/=> (.*)$/gm)].map((match) => match[1]) }),
);

/** The checkout as an npm package, installed in a project far away, with nothing from a registry. */
before(async () => {
  if (needs.skip !== undefined) return;
  mkdirSync(project);
  await succeed("npm", ["pack", "--pack-destination", box.directory], { cwd: checkout, timeout: 120_000 });
  writeFileSync(join(project, "package.json"), '{ "type": "module" }');
  const [archive = ""] = globSync("sampan-*.tgz", { cwd: box.directory });
  const flags = ["--offline", "--omit=optional", "--no-audit", "--no-fund"];
  await succeed("npm", ["install", ...flags, join(box.directory, archive)], { cwd: project, timeout: 120_000 });
});

test("the documentation has examples", () => {
  assert.ok(examples.length >= 6);
  assert.ok(examples.every(({ printed }) => printed.length > 0));
});

for (const [index, { source, printed }] of examples.entries()) {
  test(`example ${index + 1} of docs/library.md prints what it says`, needs, async () => {
    const file = join(project, `example-${index + 1}.ts`);
    writeFileSync(file, source);
    const stdout = await succeed(process.execPath, [file], { cwd: project, env: box.env });
    assert.deepEqual(stdout.trimEnd().split("\n"), printed);
  });
}

test("the examples have types that a strict project accepts", needs, async () => {
  const compilerOptions = { strict: true, noEmit: true, module: "nodenext", target: "es2024", types: ["node"] };
  const lib = ["es2024", "esnext.disposable", "esnext.array"];
  const typeRoots = [join(checkout, "node_modules/@types")];
  writeFileSync(
    join(project, "tsconfig.json"),
    JSON.stringify({ compilerOptions: { ...compilerOptions, lib, typeRoots, exactOptionalPropertyTypes: true } }),
  );
  await succeed(process.execPath, [join(checkout, "node_modules/typescript/bin/tsc"), "-p", "."], { cwd: project });
});

test("a mistake in an option is a type error", needs, async () => {
  const wrong = 'import { connect } from "sampan";\nawait (await connect()).run("x", [], { memroy: 1 });\n';
  writeFileSync(join(project, "wrong.ts"), wrong);
  const tsc = join(checkout, "node_modules/typescript/bin/tsc");
  await assert.rejects(succeed(process.execPath, [tsc, "-p", "."], { cwd: project }), /memroy/);
});

test("CommonJS can require it", needs, async () => {
  const program = 'const { connect } = require("sampan"); console.log(typeof connect)';
  assert.equal(
    await succeed(process.execPath, ["--input-type=commonjs", "-e", program], { cwd: project }),
    "function\n",
  );
});

test("the installed command line works", needs, async () => {
  const sampan = join(project, "node_modules/.bin/sampan");
  const env = { ...box.env, PATH: `${process.execPath.replace(/\/node$/, "")}:${process.env.PATH}` };
  const args = ["run", "--rm", "--network", "none", "sampan/host", "echo", "installed"];
  assert.equal(await succeed(sampan, args, { cwd: project, env }), "installed\n");
});
