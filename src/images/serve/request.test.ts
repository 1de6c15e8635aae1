import assert from "node:assert/strict";
import { test } from "node:test";
import { accepts, parseRange, parseRegistryPath } from "./request.ts";

const digest = `sha256:${"a".repeat(64)}`;

test("paths of the distribution API", () => {
  const cases: [path: string, kind: string | undefined][] = [
    ["/v2/", "base"],
    ["/v2", "base"],
    ["/v2/_catalog", "catalog"],
    ["/v2/a/b/tags/list", "tags"],
    ["/v2/tags/tags/list", "tags"],
    ["/v2/a/manifests/latest", "manifest"],
    [`/v2/a/b/c/manifests/${digest}`, "document"],
    [`/v2/a/blobs/${digest}`, "blob"],
    [`/v2/a/referrers/${digest}`, "referrers"],
    ["/v2/a/blobs/latest", undefined],
    ["/v2/a/blobs/uploads/", undefined],
    ["/v2/../a/manifests/x", undefined],
    ["/v2/A/manifests/x", undefined],
    ["/v2/a/manifests/.x", undefined],
    ["/v1/", undefined],
    ["/", undefined],
  ];
  for (const [path, kind] of cases) assert.equal(parseRegistryPath(path)?.kind, kind, path);
});

test("ranges", () => {
  const cases: [header: string | undefined, wanted: unknown][] = [
    [undefined, undefined],
    ["bytes=0-9", { first: 0, last: 9 }],
    ["bytes=10-", { first: 10, last: 99 }],
    ["bytes=-10", { first: 90, last: 99 }],
    ["bytes=-1000", { first: 0, last: 99 }],
    ["bytes=90-1000", { first: 90, last: 99 }],
    ["bytes=100-", "unsatisfiable"],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=9-0", undefined],
    ["bytes=0-1,5-6", undefined],
    ["lines=0-1", undefined],
    ["bytes=-", undefined],
  ];
  for (const [header, wanted] of cases) assert.deepEqual(parseRange(header, 100), wanted, header ?? "none");
});

test("what a client accepts", () => {
  const type = "application/vnd.oci.image.index.v1+json";
  for (const header of [undefined, "", "*/*", `text/html, ${type};q=0.5`, "application/*"]) {
    assert.ok(accepts(header, type), header ?? "none");
  }
  assert.ok(!accepts("application/vnd.oci.image.manifest.v1+json", type));
});
