import assert from "node:assert/strict";
import { test } from "node:test";
import { painter } from "./colour.ts";
import { formatListing, type Listing } from "./listing.ts";
import { alignColumns } from "./table.ts";
import { ago, ellipsis, goMoment, goTime, humanBinarySize, humanDuration, humanSize, shortId } from "./units.ts";

test("sizes have three digits and decimal units", () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, "0B"],
    [999, "999B"],
    [1000, "1kB"],
    [2_063_395, "2.06MB"],
    [77_800_000, "77.8MB"],
    [124_000_000, "124MB"],
    [1_500_000_000, "1.5GB"],
  ];
  for (const [bytes, text] of cases) assert.equal(humanSize(bytes), text);
  assert.equal(humanBinarySize(25_276_514_304), "23.54GiB");
});

test("durations are told as docker tells them", () => {
  const cases: readonly (readonly [number, string])[] = [
    [0.5, "Less than a second"],
    [1, "1 second"],
    [59, "59 seconds"],
    [60, "About a minute"],
    [119, "About a minute"],
    [120, "2 minutes"],
    [3599, "59 minutes"],
    [3600, "About an hour"],
    [5400, "2 hours"],
    [3600 * 47, "47 hours"],
    [3600 * 48, "2 days"],
    [3600 * 24 * 14, "2 weeks"],
    [3600 * 24 * 60, "2 months"],
    [3600 * 24 * 365 * 2, "2 years"],
  ];
  for (const [seconds, text] of cases) assert.equal(humanDuration(seconds), text);
  assert.equal(ago(1000, 1_060_000), "About a minute ago");
  assert.equal(ago(0), "N/A");
});

test("moments are printed as Go prints them", () => {
  assert.match(goTime(1_795_231_236), /^2026-11-2\d \d\d:\d\d:\d\d [-+]\d{4} \S+$/);
});

test("ids and long texts are cut", () => {
  assert.equal(shortId(`sha256:${"0123456789abcdef".repeat(4)}`), "0123456789ab");
  assert.equal(ellipsis("sleep 1000", 20), "sleep 1000");
  assert.equal(ellipsis("a".repeat(21), 20), `${"a".repeat(19)}…`);
});

test("columns are at least ten wide and three apart", () => {
  assert.deepEqual(
    alignColumns([
      ["ID", "NAMES"],
      ["0123456789ab", "x"],
    ]),
    ["ID             NAMES", "0123456789ab   x"],
  );
  assert.deepEqual(alignColumns([["IMAGE", "ID"]]), ["IMAGE     ID"]);
});

interface Thing {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
}

const listing: Listing<Thing> = {
  id: "ID",
  columns: ["ID", "Labels"],
  fields: {
    ID: ["THING ID", ({ id }) => id],
    Labels: ["LABELS", ({ labels }) => Object.keys(labels).join(",")],
    Label: [
      "LABEL",
      ({ labels }) =>
        (key: unknown) =>
          labels[String(key)] ?? "",
    ],
  },
};
const things: readonly Thing[] = [
  { id: "a", labels: { x: "1" } },
  { id: "b", labels: {} },
];

test("a listing is a table, ids, JSON, or what a template makes of it", () => {
  assert.deepEqual(formatListing(listing, things, {}), ["THING ID   LABELS", "a          x", "b"]);
  assert.deepEqual(formatListing(listing, [], {}), ["THING ID   LABELS"]);
  assert.deepEqual(formatListing(listing, things, { quiet: true }), ["a", "b"]);
  assert.deepEqual(formatListing(listing, things, { format: "json" }), [
    '{"ID":"a","Labels":"x"}',
    '{"ID":"b","Labels":""}',
  ]);
  assert.deepEqual(formatListing(listing, things, { format: '{{.ID}}:{{.Label "x"}}' }), ["a:1", "b:"]);
  assert.deepEqual(formatListing(listing, things, { format: "table {{.Labels}}\\t{{lower .ID}}" }), [
    "LABELS    THING ID",
    "x         a",
    "          b",
  ]);
});

test("only terminals get styles, and only from people who do not object", () => {
  const terminal = { isTTY: true } as NodeJS.WriteStream;
  const file = { isTTY: false } as NodeJS.WriteStream;
  assert.equal(painter(terminal, {})("bold", "x"), "\x1b[1mx\x1b[0m");
  assert.equal(painter(terminal, { NO_COLOR: "1" })("bold", "x"), "x");
  assert.equal(painter(terminal, { TERM: "dumb" })("dim", "x"), "x");
  assert.equal(painter(file, {})("dim", "x"), "x");
});

test("moments in Go's words end without zeros", () => {
  const cases = [
    ["2026-11-21T14:10:26.154Z", "2026-11-21 14:10:26.154 +0000 UTC"],
    ["2026-11-21T14:10:26.110Z", "2026-11-21 14:10:26.11 +0000 UTC"],
    ["2026-11-21T14:10:20.000Z", "2026-11-21 14:10:20 +0000 UTC"],
    ["2026-11-21T14:10:00Z", "2026-11-21 14:10:00 +0000 UTC"],
    ["2026-11-21T14:10:26.123456789+02:00", "2026-11-21 14:10:26.123456789 +0200 +0200"],
    ["", ""],
  ];
  for (const [text = "", expected] of cases) assert.equal(goMoment(text), expected);
});
