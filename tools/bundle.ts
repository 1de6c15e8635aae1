/**
 * Bundles the command line and the daemon into dist/, so that a start neither strips types nor opens 200 files:
 *
 *   dist/sampan.cjs     loads cli.cjs with its code cache
 *   dist/cli.cjs        src/cli/main.ts and all it imports
 *   dist/runtime.cjs    loads runtime-main.cjs with its code cache
 *   dist/runtime-main.cjs  src/oci/main.ts and all it imports: the OCI runtime
 *   dist/library.cjs    src/client/index.ts and all it imports: what `import "sampan"` gives
 *   dist/daemon.cjs     loads daemon-main.cjs with its code cache
 *   dist/daemon-main.cjs  src/api/daemon.ts and all it imports
 *   dist/cli.HASH.cache     V8's code cache of cli.cjs, made by tools/warm-up.ts
 *   dist/runtime-main.HASH.cache  the same of runtime-main.cjs, made by tools/warm-up-runtime.ts
 *   dist/daemon.HASH.cache  V8's code cache of daemon-main.cjs, made by the first daemon that leaves
 *   dist/ready-runtime.sh  the same for bin/sampan-runtime, with the runtime's sources only: a tenth of them
 *   dist/ready.sh       read by bin/sampan: the Node to use, and a test that every source is older than the bundle
 *
 * CommonJS because its loader starts some milliseconds sooner than the one of ES modules. Usage: bundle.ts NODE
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { mkdir, readFile, utimes } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { type BuildOptions, build, type Plugin, transform } from "esbuild";

const root = dirname(import.meta.dirname);
const dist = join(root, "dist");
const entries = {
  cli: "src/cli/main.ts",
  "daemon-main": "src/api/daemon.ts",
  "runtime-main": "src/oci/main.ts",
  library: "src/client/index.ts",
};

/** Programs of which every call pays for their start. */
const quick: readonly string[] = ["cli", "runtime-main"];

/** Programs, as opposed to the library. */
const isEntry = (path: string): boolean =>
  [entries.cli, entries["daemon-main"], entries["runtime-main"]].includes(relative(root, path));

/** Keeps `import.meta.dirname`, `.filename` and `.url` what they are in the source, relative to the bundle. */
const importMeta: Plugin = {
  name: "import-meta",
  setup(plugin) {
    plugin.onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      if (!source.includes("import.meta")) return null;
      const at = `require("node:path").join(__dirname, ${JSON.stringify(relative(dist, path))})`;
      const contents = source
        .replaceAll("import.meta.dirname", `require("node:path").dirname(${at})`)
        .replaceAll("import.meta.filename", at)
        .replaceAll("import.meta.main", String(isEntry(path)))
        .replaceAll("import.meta.url", `require("node:url").pathToFileURL(${at}).href`);
      return { contents, loader: "ts" };
    });
  },
};

/**
 * Fastify loads TLS and HTTP/2 in case it is asked for them. The daemon never does; left to load on first use they save it
 * 7 MB of memory and some milliseconds of its start.
 */
const lazyTls: Plugin = {
  name: "lazy-tls",
  setup(plugin) {
    plugin.onResolve({ filter: /^node:(https|http2)$/ }, ({ path, importer, namespace }) =>
      namespace === "file" && importer.includes("/node_modules/fastify/") ? { path, namespace: "lazy" } : null,
    );
    plugin.onLoad({ filter: /.*/, namespace: "lazy" }, ({ path }) => ({
      contents: `module.exports = new Proxy({}, { get: (_, name) => require(${JSON.stringify(path)})[name] });`,
    }));
  },
};

/** What fastify would use for requests and answers with a JSON schema, and for tests: a quarter of the bundle, and nothing of it runs. */
const unused: Plugin = {
  name: "unused",
  setup(plugin) {
    const filter = /^(@fastify\/ajv-compiler|@fastify\/fast-json-stringify-compiler|light-my-request)$/;
    plugin.onResolve({ filter }, ({ path }) => ({ path, namespace: "unused" }));
    plugin.onLoad({ filter: /.*/, namespace: "unused" }, ({ path }) => ({
      contents: `throw new Error(${JSON.stringify(`${path} is not in the bundle`)});`,
    }));
  },
};

/** Bundles one entry point; returns the files that went into it, relative to the checkout. */
async function bundle(name: string, entry: string): Promise<string[]> {
  const options: BuildOptions & { write: false; metafile: true } = {
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: join(dist, `${name}.cjs`),
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    format: "cjs",
    target: "node24",
    // A vm.Script, which the programs' bundles are loaded as, has no import().
    supported: { "dynamic-import": false },
    logLevel: "warning",
    legalComments: "none",
    plugins: [importMeta, lazyTls, unused],
    // Node keeps the text; lines and names stay, for the stacks of errors.
    ...(name === "daemon-main" && { minifyWhitespace: true, lineLimit: 160 }),
  };
  // esbuild has said why already
  const result = await build(options).catch(() => process.exit(1));
  for (const file of result.outputFiles)
    replace(file.path, quick.includes(name) ? await forQuickStart(file.text) : file.text);
  return Object.keys(result.metafile.inputs);
}

/** What every command pays for: the shorter the text, the sooner it is read. Names stay, for the stacks of errors. */
async function forQuickStart(text: string): Promise<string> {
  const options = { minifyWhitespace: true, minifySyntax: true, target: "node24", legalComments: "none" } as const;
  return (await transform(withLazyBuiltins(text), options)).code;
}

/**
 * Node's own modules are loaded when something of them is used, not when a file that imports them is: node:crypto alone
 * costs a start 6 ms. esbuild uses an imported module M only as `import_M.name`.
 */
function withLazyBuiltins(bundle: string): string {
  const assignment = /\b(import_\w+) = (__toESM\(require\("node:[\w/]+"\)(?:, 1)?\)|require\("node:[\w/]+"\))/g;
  const names = new Set([...bundle.matchAll(assignment)].map((match) => match[1]));
  return bundle
    .replace(/\b(new )?(import_\w+)((?:\.\w+)+)/g, (use, constructed, name, path) => {
      if (!names.has(name)) return use;
      return constructed ? `new (${name}()${path})` : `${name}()${path}`;
    })
    .replace(assignment, "$1 = lazily(() => $2)")
    .replace(/^("use strict";\n)?/, "$1const lazily = (load) => { let m; return () => (m ??= load()); };\n");
}

/** Writes a file aside and renames it into place: whoever reads it sees the old or the new one. */
function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

/**
 * Loads a quick program with V8's code cache of it. Node's own compile cache knows only the functions that are compiled before the
 * first line runs; this one, made after a whole command (tools/warm-up.ts), saves compiling the others: 4 ms of `run`.
 */
const stub = (name: string) => `"use strict";
if (Number.parseInt(process.versions.node, 10) < 24) {
  console.error("sampan: Node 24 or newer is needed, this is " + process.version);
  process.exit(125);
}
const { readFileSync } = require("node:fs");
const { Script } = require("node:vm");
const filename = __dirname + "/${name}.cjs";
exports.cache = __dirname + "/${name}.${hashOf(`${name}.cjs`)}.cache";
let cachedData;
try {
  cachedData = readFileSync(exports.cache);
} catch {}
const source = "(function (exports, require, module, __filename, __dirname) {" + readFileSync(filename, "latin1") + "\\n})";
exports.script = new Script(source, { filename, cachedData });
exports.program = { exports: {} };
exports.script.runInThisContext()(exports.program.exports, require, exports.program, filename, __dirname);
`;

/**
 * The same for the daemon, which makes the cache itself when it leaves, of all it has used: a third off its start, and
 * 6 MB of its memory, which compiling would take. What V8 does not accept (of another bundle, another Node) is made again, and
 * so is the cache of a daemon that has seen little, by one that has worked for a while.
 */
const daemonStub = (hash: string) => `"use strict";
const { readFileSync, renameSync, writeFileSync } = require("node:fs");
const { Script } = require("node:vm");
const filename = __dirname + "/daemon-main.cjs";
const cache = __dirname + "/daemon.${hash}.cache";
let cachedData;
try {
  cachedData = readFileSync(cache);
} catch {}
const source = "(function (exports, require, module, __filename, __dirname) {" + readFileSync(filename, "latin1") + "\\n})";
const script = new Script(source, { filename, cachedData });
const known = cachedData === undefined || script.cachedDataRejected ? 0 : cachedData.length;
process.once("exit", () => {
  if (known > 0 && process.uptime() < 60) return;
  try {
    const made = script.createCachedData();
    if (made.length < known * 1.05) return;
    writeFileSync(cache + "." + process.pid, made);
    renameSync(cache + "." + process.pid, cache);
  } catch {}
});
script.runInThisContext()(exports, require, module, filename, __dirname);
`;

/**
 * What a code cache is named by. V8 compares nothing of the source but its length: the cache of another bundle that is as
 * long would be executed in place of this one.
 */
function hashOf(name: string): string {
  return createHash("sha256")
    .update(readFileSync(join(dist, name)))
    .digest("hex")
    .slice(0, 16);
}

/** The shell code that bin/sampan reads. Paths are relative to $root, which a checkout may change by being moved. */
function readiness(node: string, file: string, sources: string[]): string {
  const ours = node.startsWith(`${root}/`) ? `$root/${relative(root, node)}` : node;
  const tests = sources.map((source) => `[ "$root/${source}" -nt "$s" ]`);
  return [
    "# Made by tools/bundle.ts.",
    `node="${ours}"`,
    "fresh() {",
    `  s="$root/dist/${file}"`,
    `  ! { ${tests.join(" ||\n    ")}; }`,
    "}",
    "",
  ].join("\n");
}

function sourcesBesides(bundled: string[]): string[] {
  const native = execFileSync("ls", [join(root, "native")], { encoding: "utf8" })
    .split("\n")
    .filter((name) => /\.(c|h|sh)$/.test(name))
    .map((name) => `native/${name}`);
  const own = bundled.filter((path) => !path.includes("node_modules/"));
  return [
    ...own,
    ...native,
    "package-lock.json",
    "tools/bundle.ts",
    "tools/warm-up.ts",
    "tools/warm-up-runtime.ts",
    "tools/prepare.sh",
  ];
}

const node = process.argv[2] ?? process.execPath;
const started = new Date();
await mkdir(dist, { recursive: true });
const bundled = new Set<string>();
const ofRuntime = new Set<string>();
for (const [name, entry] of Object.entries(entries)) {
  if (!existsSync(join(root, entry))) continue;
  for (const path of await bundle(name, entry)) {
    bundled.add(path);
    if (name === "runtime-main") ofRuntime.add(path);
  }
}
for (const cache of globSync("*.cache", { cwd: dist })) rmSync(join(dist, cache));
replace(join(dist, "sampan.cjs"), stub("cli"));
replace(join(dist, "runtime.cjs"), stub("runtime-main"));
replace(join(dist, "daemon.cjs"), daemonStub(hashOf("daemon-main.cjs")));
// V8 takes a code cache only under the flags it was made with: those of bin/sampan.
for (const warmUp of ["warm-up.ts", "warm-up-runtime.ts"]) {
  execFileSync(node, ["--min-semi-space-size=8", join(root, "tools", warmUp), dist], {
    stdio: ["ignore", "ignore", "inherit"],
  });
}
for (const [file, sources] of [
  ["ready-runtime.sh", ofRuntime],
  ["ready.sh", bundled],
] as const) {
  const ready = join(dist, file);
  writeFileSync(`${ready}.new`, readiness(node, file, sourcesBesides([...sources].sort())));
  await utimes(`${ready}.new`, started, started);
  renameSync(`${ready}.new`, ready);
  if (readFileSync(ready).length === 0) process.exitCode = 1;
}
