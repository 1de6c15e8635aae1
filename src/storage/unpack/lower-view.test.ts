import assert from "node:assert/strict";
import { test } from "node:test";
import { lookUp } from "./lower-view.ts";
import type { Probe } from "./probe.ts";

/** Layers, top first, as name → type; "opaque" is an opaque directory. */
function layersOf(...layers: Record<string, Probe["type"] | "opaque">[]): Map<string, Probe>[] {
  const nothing = { mode: 0, uid: 0, gid: 0, size: 0, mtime: { seconds: 0, nanoseconds: 0 }, major: 0, minor: 0 };
  return layers.map((layer) => {
    const probes = Object.entries({ "": "directory", ...layer } as typeof layer).map(([name, type]) => {
      const opaque = type === "opaque";
      return [name, { ...nothing, type: opaque ? "directory" : type, opaque } as Probe] as const;
    });
    return new Map(probes);
  });
}

const found = (layers: Map<string, Probe>[], name: string) => {
  const lookup = lookUp(layers, name);
  return lookup.kind === "found" ? lookup.layer : lookup.kind === "link" ? `link at ${lookup.at}` : lookup.kind;
};

test("the uppermost layer that has it shows", () => {
  const layers = layersOf({ a: "directory" }, { a: "directory", "a/f": "file" }, { a: "directory", "a/f": "file" });
  assert.equal(found(layers, "a"), 0);
  assert.equal(found(layers, "a/f"), 1);
  assert.equal(found(layers, "a/g"), "absent");
  assert.equal(found(layers, ""), 0);
});

test("whiteouts, opaque directories and files hide what is below", () => {
  const below = { a: "directory", "a/f": "file", "a/d": "directory", "a/d/f": "file" } as const;
  assert.equal(found(layersOf({ a: "directory", "a/f": "whiteout" }, below), "a/f"), "absent");
  assert.equal(found(layersOf({ a: "whiteout" }, below), "a/d/f"), "absent");
  assert.equal(found(layersOf({ a: "opaque" }, below), "a/f"), "absent");
  assert.equal(found(layersOf({ a: "file" }, below), "a/f"), "absent");
  assert.equal(found(layersOf({ a: "directory", "a/d": "opaque" }, below), "a/f"), 1);
});

test("a directory merges with directories only", () => {
  const layers = layersOf({ a: "directory" }, { a: "symlink" }, { a: "directory", "a/f": "file" });
  assert.equal(found(layers, "a/f"), "absent");
});

test("a link on the way is told", () => {
  assert.equal(found(layersOf({}, { lib: "symlink" }), "lib/x/y"), "link at lib");
  assert.equal(found(layersOf({}, { lib: "symlink" }), "lib"), 1);
});
