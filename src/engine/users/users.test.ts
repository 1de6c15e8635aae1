import assert from "node:assert/strict";
import { test } from "node:test";
import { mapsLayers } from "./able.ts";
import { parseUsersMode } from "./mode.ts";
import { findFree, mapAround, mapInTurn, without } from "./ranges.ts";
import { parseRemap } from "./remap.ts";
import { parseSubordinate } from "./subordinate.ts";

const auto = { kind: "auto", size: 65_536, users: [], groups: [] };

test("docker's modes, and podman's", () => {
  assert.deepEqual(parseUsersMode(""), { kind: "usual" });
  assert.deepEqual(parseUsersMode("host"), { kind: "host" });
  assert.deepEqual(parseUsersMode("keep-id"), { kind: "keep-id" });
  assert.deepEqual(parseUsersMode("container:a:b"), { kind: "container", reference: "a:b" });
  assert.deepEqual(parseUsersMode("auto"), auto);
  assert.deepEqual(parseUsersMode("auto:size=5"), { ...auto, size: 5 });
  const range = { container: 1, host: 2, size: 3 };
  assert.deepEqual(parseUsersMode("auto:uidmapping=1:2:3"), { ...auto, users: [range] });
  assert.deepEqual(parseUsersMode("auto:gidmapping=1:2:3,size=9"), { ...auto, size: 9, groups: [range] });
});

test("what is no mode is refused", () => {
  const bad = ["private", "container:", "host:x", "auto:size=0", "auto:size=x", "auto:other=1", "keep-id:uid=1"];
  const worse = ["auto:uidmapping=1:2", "auto:uidmapping=1:2:0", "auto:uidmapping=0:4294967290:9"];
  const twice = ["auto:uidmapping=0:5:2,uidmapping=1:9:2", "auto:gidmapping=0:5:2,gidmapping=9:6:2"];
  for (const text of [...bad, ...worse, ...twice]) {
    assert.throws(() => parseUsersMode(text), { name: "SampanError" }, text);
  }
});

test("ids are taken where nobody has any, from a place on, then from the beginning", () => {
  const pool = [
    { start: 100, size: 100 },
    { start: 400, size: 50 },
  ];
  assert.equal(findFree(pool, [], 10), 100);
  assert.equal(findFree(pool, [], 10, 130), 130);
  assert.equal(findFree(pool, [{ start: 130, size: 65 }], 10, 130), 400);
  assert.equal(findFree(pool, [{ start: 130, size: 65 }], 60, 130), undefined);
  assert.equal(findFree(pool, [{ start: 130, size: 65 }], 30, 430), 100);
  assert.equal(findFree(pool, [{ start: 0, size: 190 }], 20), 400);
  assert.equal(findFree(pool, [], 200), undefined);
});

test("spans without others", () => {
  const spans = [{ start: 0, size: 10 }];
  assert.deepEqual(without(spans, []), spans);
  assert.deepEqual(without(spans, [{ start: 5, size: 2 }]), [
    { start: 0, size: 5 },
    { start: 7, size: 3 },
  ]);
  assert.deepEqual(
    without(spans, [
      { start: 5, size: 20 },
      { start: 0, size: 2 },
    ]),
    [{ start: 2, size: 3 }],
  );
  assert.deepEqual(without(spans, [{ start: 0, size: 10 }]), []);
});

test("ids that are mapped elsewhere leave a hole in the others", () => {
  assert.deepEqual(mapAround(1000, 10, []), [{ container: 0, host: 1000, size: 10 }]);
  assert.deepEqual(mapAround(1000, 10, [{ container: 4, host: 7, size: 2 }]), [
    { container: 0, host: 1000, size: 4 },
    { container: 4, host: 7, size: 2 },
    { container: 6, host: 1006, size: 4 },
  ]);
  assert.deepEqual(mapAround(1000, 2, [{ container: 9, host: 7, size: 1 }]), [
    { container: 0, host: 1000, size: 2 },
    { container: 9, host: 7, size: 1 },
  ]);
});

test("subordinate ids, and what the daemon remaps to", () => {
  const lines = parseSubordinate("# a comment\nsampan:100000:65536\n\n1000:5:x\nother:1:2\n");
  assert.deepEqual(lines, [
    { owner: "sampan", start: 100_000, size: 65_536 },
    { owner: "other", start: 1, size: 2 },
  ]);
  assert.deepEqual(mapInTurn(lines), [
    { container: 0, host: 100_000, size: 65_536 },
    { container: 65_536, host: 1, size: 2 },
  ]);
  assert.equal(parseRemap("default"), "default");
  assert.deepEqual(parseRemap("a"), { user: "a", group: "a" });
  assert.deepEqual(parseRemap("a:b"), { user: "a", group: "b" });
  for (const text of ["", ":a", "a:", "a:b:c"]) assert.throws(() => parseRemap(text), { name: "SampanError" });
});

test("overlayfs maps the ids of layers since Linux 5.19", () => {
  assert.deepEqual(["5.18.0", "5.19.1-amd64", "6.1.0", "5.4"].map(mapsLayers), [false, true, true, false]);
});
