import assert from "node:assert/strict";
import { test } from "node:test";
import { humanSize, progressBar } from "./progress-bar.ts";

test("sizes have four digits and decimal units", () => {
  assert.equal(humanSize(0), "0B");
  assert.equal(humanSize(999), "999B");
  assert.equal(humanSize(1000), "1kB");
  assert.equal(humanSize(29_124_567), "29.12MB");
  assert.equal(humanSize(3_456_000_000), "3.456GB");
});

test("a bar is drawn as dockerd draws it", () => {
  assert.equal(progressBar(0, 0), "");
  assert.equal(progressBar(1_000_000, 0), "     1MB");
  assert.equal(progressBar(50, 100), `[${"=".repeat(25)}>${" ".repeat(25)}]      50B/100B`);
  assert.equal(progressBar(100, 100), `[${"=".repeat(50)}>]     100B/100B`);
});

test("a count beyond the total hides the total", () => {
  assert.equal(progressBar(200, 100), `[${"=".repeat(50)}>]     200B`);
});
