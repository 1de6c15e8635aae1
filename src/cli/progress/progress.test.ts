import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import type { ProgressLine } from "../../api/shapes/image.ts";
import { progressText } from "./bar.ts";
import { ProgressDisplay } from "./display.ts";

const lines: readonly ProgressLine[] = [
  { status: "Pulling from library/a", id: "latest" },
  { status: "Pulling fs layer", progressDetail: {}, id: "aa" },
  { status: "Downloading", progressDetail: { current: 500_000, total: 1_000_000 }, id: "aa" },
  { status: "Pull complete", progressDetail: {}, id: "aa" },
  { status: "Digest: sha256:00" },
  { stream: "Loaded image: a:1\n" },
];

async function shown(screen: PassThrough, given: readonly ProgressLine[]): Promise<string> {
  async function* stream(): AsyncGenerator<ProgressLine> {
    yield* given;
  }
  await new ProgressDisplay(screen).show(stream());
  return written(screen);
}

async function written(screen: PassThrough): Promise<string> {
  screen.end();
  return (await screen.toArray()).join("");
}

test("a file gets plain lines without amounts", async () => {
  assert.equal(
    await shown(new PassThrough(), lines),
    "latest: Pulling from library/a\naa: Pulling fs layer\naa: Pull complete\nDigest: sha256:00\nLoaded image: a:1\n",
  );
});

test("a terminal gets one line per id, the newest state of it", async () => {
  const screen = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
  const text = await shown(screen, lines);
  assert.equal(text, "latest: Pulling from library/a\naa: Pull complete\nDigest: sha256:00\nLoaded image: a:1\n");
});

test("a line that is on the screen is drawn again in place", async () => {
  const screen = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
  const display = new ProgressDisplay(screen);
  for (const id of ["aa", "bb"]) display.add({ status: "Waiting", id });
  display.flush();
  display.add({ status: "Done", id: "aa" });
  display.flush();
  assert.equal(await written(screen), "aa: Waiting\nbb: Waiting\n\x1b[2A\x1b[2K\raa: Done\x1b[2B\r");
});

test("an error in the stream is thrown", async () => {
  const failure = shown(new PassThrough(), [{ error: "no space", errorDetail: { message: "no space left" } }]);
  await assert.rejects(failure, /no space left/);
});

test("bars are as wide as the terminal allows", () => {
  assert.equal(progressText({ current: 5, total: 10 }, 80), "      5B/10B");
  assert.equal(progressText({ current: 5, total: 10 }, 120), `[${"=".repeat(25)}>${" ".repeat(24)}]       5B/10B`);
  assert.equal(progressText({ current: 10, total: 10 }, 120), `[${"=".repeat(50)}]      10B/10B`);
  assert.equal(progressText({}, 80), "");
});
