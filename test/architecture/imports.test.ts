import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root, type Source, sources } from "./sources.ts";

/** DESIGN §5, top to bottom: a folder of src/ imports itself and the folders before it, nothing else. */
const order = [
  "errors",
  "kernel",
  "cgroups",
  "runtime",
  "oci",
  "storage",
  "registry",
  "images",
  "network",
  "build",
  "engine",
  "api",
  "client",
  "cli",
];

/** Narrower than the order: the beginnings of the only paths below src/ that these may import, and why. */
const only: Record<string, { may: string[]; why: string }> = {
  oci: {
    may: ["errors/", "kernel/", "cgroups/", "runtime/", "oci/"],
    why: "its start is part of every call, and no daemon is needed for it",
  },
  client: {
    may: [
      "errors/",
      "storage/layout.ts",
      "storage/run-directory.ts",
      "storage/tar/",
      "build/ignore/",
      "api/shapes/",
      "client/",
    ],
    why: "it reaches the daemon through the API: the layout says where, what is copied are tar archives, and ignore files say what of a context",
  },
  cli: {
    may: ["errors/", "kernel/leave.ts", "storage/tar/", "api/shapes/", "client/", "cli/"],
    why: "it reaches the engine through the client; what it copies are tar archives, and how it ends is the kernel's",
  },
};

/** Third-party packages that a user's machine runs, and where. */
const packages: Record<string, string[]> = {
  commander: ["cli"],
  fastify: ["api"],
  pino: ["engine", "api"],
  zod: ["kernel", "registry", "images", "engine", "api"],
};

const all = sources("src/**/*.ts");
const production = all.filter(({ path }) => !path.endsWith(".test.ts"));

function folder(path: string): string {
  return path.split("/")[1] ?? "";
}

function forbidden(source: Source): string[] {
  const from = folder(source.path);
  const above = order.slice(0, order.indexOf(from) + 1).map((name) => `${name}/`);
  const allowed = only[from]?.may ?? above;
  return source.files.filter((file) => !allowed.some((beginning) => file.startsWith(`src/${beginning}`)));
}

test("every folder of src/ has its place in the order", () => {
  const unknown = new Set(all.map(({ path }) => folder(path)).filter((name) => !order.includes(name)));
  assert.deepEqual([...unknown], []);
});

test("imports point one way", () => {
  const wrong = production.flatMap((source) => forbidden(source).map((file) => `${source.path} imports ${file}`));
  assert.deepEqual(wrong, []);
});

test("no file loads itself through others", () => {
  const graph = new Map(production.map(({ path, loads }) => [path, loads]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      cycles.push([...trail.slice(trail.indexOf(path)), path].join(" → "));
    } else if (!done.has(path)) {
      for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
      done.add(path);
    }
  };
  for (const path of graph.keys()) visit(path, []);
  assert.deepEqual(cycles, []);
});

test("third-party packages are the listed ones, where they belong", () => {
  const wrong = production.flatMap(({ path, imports }) =>
    imports
      .filter((name) => !name.startsWith(".") && !name.startsWith("node:"))
      .filter((name) => !packages[name]?.includes(folder(path)))
      .map((name) => `${path} imports ${name}`),
  );
  assert.deepEqual(wrong, []);
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Record<string, object | undefined>;
  assert.equal(manifest.dependencies, undefined, "who installs Sampan gets its bundles, and nothing else");
  const unlisted = Object.keys(packages).filter((name) => !(name in (manifest.devDependencies ?? {})));
  assert.deepEqual(unlisted, []);
});

test("every error of ours has a kind", () => {
  const bare = /\b(?:throw|reject\()\s*\(?new (?:Error|TypeError|RangeError)\(/;
  const wrong = production.filter(({ text }) => bare.test(text)).map(({ path }) => path);
  assert.deepEqual(wrong, [], "throw SampanError of src/errors instead");
});

test("relative imports say which file they mean", () => {
  const wrong = all.flatMap(({ path, imports }) =>
    imports
      .filter((name) => name.startsWith(".") && !/\.(ts|json)$/.test(name))
      .map((name) => `${path} imports ${name}`),
  );
  assert.deepEqual(wrong, []);
});
