import assert from "node:assert/strict";
import { test } from "node:test";
import type { BuildEvent } from "../../../api/shapes/build.ts";
import { PlainProgress } from "./plain.ts";
import { drawSteps, type Frame } from "./screen.ts";
import { Steps } from "./steps.ts";

const base = { type: "step", id: "base", name: "[1/2] FROM alpine" } as const;
const run = { type: "step", id: "run", name: "[2/2] RUN make" } as const;

function log(step: string, data: string): BuildEvent {
  return { type: "log", step, stream: "stdout", data };
}

test("plain lines name a step, and name it again after another one", () => {
  let text = "";
  let now = 1000;
  const progress = new PlainProgress(
    (more) => {
      text += more;
    },
    () => now,
  );
  progress.event({ ...base });
  progress.event({ ...run, started: 1000 });
  now = 1250;
  progress.event(log("run", "cc a.c\ncc"));
  progress.event({ ...base, started: 1000 });
  progress.event({ type: "status", step: "base", id: "sha256:1", total: 2000, started: 1000, completed: 1100 });
  progress.event({ ...base, started: 1000, completed: 1000, cached: true });
  now = 2000;
  progress.event(log("run", " b.c"));
  progress.event({ ...run, started: 1000, completed: 3500 });
  assert.equal(
    text,
    [
      "#1 [2/2] RUN make",
      "#1 0.250 cc a.c",
      "#1 ...",
      "",
      "#2 [1/2] FROM alpine",
      "#2 sha256:1 2kB 0.1s done",
      "#2 CACHED",
      "",
      "#1 [2/2] RUN make",
      "#1 1.000 cc b.c",
      "#1 DONE 2.5s",
      "",
      "",
    ].join("\n"),
  );
});

test("plain lines say how a step failed", () => {
  let text = "";
  const progress = new PlainProgress((more) => {
    text += more;
  });
  progress.event({ ...run, started: 1, completed: 2, error: "exit code: 1" });
  progress.event({ ...base, started: 1, completed: 2, error: "cancelled" });
  assert.equal(text, "#1 [2/2] RUN make\n#1 ERROR: exit code: 1\n\n#2 [1/2] FROM alpine\n#2 CANCELED\n\n");
});

const frame: Frame = { columns: 40, rows: 24, now: 5000, began: 0, finished: false, paint: (_, text) => text };

test("a picture has a line a step, and output below those that run", () => {
  const steps = new Steps();
  steps.apply({ ...base, started: 0, completed: 0, cached: true });
  steps.apply({ ...run, started: 1000 });
  steps.apply({ type: "status", step: "run", id: "layer", current: 1500, total: 3000, started: 2000 });
  steps.apply(log("run", "one\rONE\n\u001b[31mtwo\u001b[0m\nrest"));
  steps.apply({ type: "step", id: "later", name: "later" });
  assert.deepEqual(drawSteps(steps, frame), [
    "[+] Building 5.0s (1/3)",
    " => CACHED [1/2] FROM alpine        0.0s",
    " => [2/2] RUN make                  4.0s",
    " => => layer 1.5kB / 3kB            3.0s",
    " => => # ONE",
    " => => # two",
  ]);
});

test("a finished picture says so, and has no output left", () => {
  const steps = new Steps();
  steps.apply({ ...run, started: 1000 });
  steps.apply(log("run", "x\n"));
  steps.apply({ ...run, started: 1000, completed: 4000 });
  assert.deepEqual(drawSteps(steps, { ...frame, finished: true }), [
    "[+] Building 5.0s (1/1) FINISHED",
    " => [2/2] RUN make                  3.0s",
  ]);
});

test("a small terminal keeps what runs", () => {
  const steps = new Steps();
  for (let step = 0; step < 10; step++) {
    steps.apply({ type: "step", id: `${step}`, name: `step ${step}`, started: 0, completed: 0 });
  }
  steps.apply({ ...run, started: 1000 });
  const lines = drawSteps(steps, { ...frame, rows: 5 });
  assert.ok(lines.length <= 5);
  assert.match(lines.at(-1) ?? "", /RUN make/);
});
