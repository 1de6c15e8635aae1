import assert from "node:assert/strict";
import { test } from "node:test";
import { seccompShape } from "../config/seccomp.ts";
import { listenerOf, seccompOf } from "./seccomp.ts";

const container = { ociVersion: "1.3.0", id: "c", bundle: "/b", annotations: {} };
const asking = (more: object = {}) =>
  seccompShape(
    {
      defaultAction: "SCMP_ACT_ALLOW",
      listenerPath: "/run/listener",
      listenerMetadata: 'a "word"',
      syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_NOTIFY" }],
      ...more,
    },
    "linux.seccomp",
  );

test("the state that a listener is told is JSON around the process id", () => {
  const { listener } = listenerOf(asking(), container, "creating");
  assert.equal(listener?.path, "/run/listener");
  const state = { ...container, status: "creating", pid: 42 };
  const expected = { ociVersion: "1.3.0", fds: ["seccompFd"], pid: 42, metadata: 'a "word"', state };
  assert.deepEqual(JSON.parse(listener?.state.join("42") ?? ""), expected);

  const inExec = listenerOf(asking(), container, "running", 7).listener;
  const other = { ...expected, state: { ...state, pid: 7, status: "running" } };
  assert.deepEqual(JSON.parse(inExec?.state.join("42") ?? ""), other);
});

test("a filter that asks nobody has no listener", () => {
  const seccomp = asking({ syscalls: [] });
  assert.deepEqual(listenerOf(seccomp, container, "creating"), {});
  assert.equal((seccompOf(seccomp, []).seccomp?.flags ?? 0) & 8, 0);
});

test("flags of a filter that asks; what cannot be asked is refused", () => {
  const flags = ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"];
  assert.equal(seccompOf(asking({ flags }), []).seccomp?.flags, 8 | 32);
  const refused: readonly [object, RegExp][] = [
    [{ defaultAction: "SCMP_ACT_NOTIFY" }, /defaultAction/],
    [{ syscalls: [{ names: ["write"], action: "SCMP_ACT_NOTIFY" }] }, /write/],
    [{ listenerPath: "" }, /listenerPath/],
    [{ flags, syscalls: [] }, /flags/],
  ];
  for (const [more, message] of refused) assert.throws(() => seccompOf(asking(more), []), message);
  assert.throws(() => listenerOf(asking({ listenerPath: "relative" }), container, "creating"), /listenerPath/);
});
