import assert from "node:assert/strict";
import { test } from "node:test";
import type { EngineEvent } from "../../engine/types.ts";
import { eventJson } from "../views/event.ts";
import { matchesEvent } from "./event-filters.ts";

const event: EngineEvent = {
  type: "container",
  action: "exec_start: sh -c true",
  actor: { id: "abcdef", attributes: { name: "web", image: "debian:12", tier: "front" } },
  timeNano: 1_795_231_105_000_000_001n,
};

test("keys must all match, one of a key's values is enough", () => {
  assert.ok(matchesEvent(event, {}));
  assert.ok(matchesEvent(event, { type: ["image", "container"], container: ["web"] }));
  assert.ok(!matchesEvent(event, { type: ["container"], container: ["db"] }));
});

test("containers match by the start of their id or name", () => {
  assert.ok(matchesEvent(event, { container: ["abc"] }));
  assert.ok(!matchesEvent(event, { container: ["bcd"] }));
});

test("actions that carry a command match without it", () => {
  assert.ok(matchesEvent(event, { event: ["exec_start"] }));
  assert.ok(!matchesEvent(event, { event: ["exec"] }));
});

test("an image's filter finds what its containers do", () => {
  assert.ok(matchesEvent(event, { image: ["debian"] }));
  assert.ok(matchesEvent(event, { image: ["debian:12"] }));
  assert.ok(!matchesEvent(event, { image: ["debian:11"] }));
});

test("labels are attributes", () => {
  assert.ok(matchesEvent(event, { label: ["tier=front"] }));
  assert.ok(!matchesEvent(event, { label: ["tier=back"] }));
});

test("no digit of a time is lost, and old clients find their members", () => {
  const text = eventJson(event);
  assert.match(text, /"time":1795231105,"timeNano":1795231105000000001\}$/);
  const { status, id, from } = JSON.parse(text);
  assert.deepEqual({ status, id, from }, { status: event.action, id: "abcdef", from: "debian:12" });
});
