import assert from "node:assert/strict";
import { test } from "node:test";
import { logLine } from "./log.ts";
import { tableText } from "./output.ts";

const time = new Date("2026-01-02T03:04:05.678Z");

test("lines are those that engines read from runc", () => {
  assert.equal(
    logLine("error", 'a "b"', time, "json"),
    '{"level":"error","msg":"a \\"b\\"","time":"2026-01-02T03:04:05Z"}\n',
  );
  assert.equal(
    logLine("warning", 'a "b"', time, "text"),
    'time="2026-01-02T03:04:05Z" level=warning msg="a \\"b\\""\n',
  );
});

test("tables have columns of twelve at least, three apart", () => {
  const rows = [
    ["ID", "PID", "STATUS"],
    ["a-long-name-of-one", "1", "running"],
  ];
  assert.equal(tableText(rows), "ID                   PID         STATUS\na-long-name-of-one   1           running\n");
});
