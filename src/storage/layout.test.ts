import assert from "node:assert/strict";
import { test } from "node:test";
import { layoutOf } from "./layout.ts";

const root = { env: {}, uid: 0, home: "/root" };
const user = { env: { XDG_RUNTIME_DIR: "/run/user/7" }, uid: 7, home: "/home/u" };

test("the defaults of root and of others", () => {
  const ofRoot = layoutOf({}, root);
  assert.equal(ofRoot.root, "/var/lib/sampan");
  assert.equal(ofRoot.apiSocket, "/run/sampan/sampan.sock");
  assert.equal(ofRoot.suffix, "");
  const ofUser = layoutOf({}, user);
  assert.equal(ofUser.stateDb, "/home/u/.local/share/sampan/state.db");
  assert.equal(ofUser.run, "/run/user/7/sampan");
  assert.equal(ofUser.suffix, "");
  assert.equal(layoutOf({}, { ...user, env: { XDG_DATA_HOME: "/data" } }).root, "/data/sampan");
});

test("another root has a suffix, and a run directory of its own", () => {
  const layout = layoutOf({ root: "/tmp/a" }, root);
  assert.match(layout.suffix, /^-[0-9a-f]{6}$/);
  assert.equal(layout.run, `/run/sampan${layout.suffix}`);
  assert.notEqual(layoutOf({ root: "/tmp/b" }, root).suffix, layout.suffix);
  assert.equal(layoutOf({ root: "/tmp/a/../a/" }, root).suffix, layout.suffix);
});

test("options win over the environment", () => {
  const env = { SAMPAN_ROOT: "/env/root", SAMPAN_RUN: "/env/run" };
  assert.equal(layoutOf({}, { ...root, env }).root, "/env/root");
  assert.equal(layoutOf({}, { ...root, env }).run, "/env/run");
  assert.equal(layoutOf({ root: "/o", run: "/r" }, { ...root, env }).run, "/r");
});
