import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeSchedAttr } from "../../kernel/scheduling.ts";
import { linuxShape } from "../config/linux.ts";
import { processShape } from "../config/process.ts";
import { affinityOf, attributesOf } from "./attributes.ts";

const processWith = (fields: object) => processShape({ cwd: "/", ...fields }, "process");
const scheduler = (fields: object) => attributesOf(processWith({ scheduler: fields }), undefined).scheduler;

test("a scheduler is what sched_setattr(2) takes", () => {
  const attributes = scheduler({ policy: "SCHED_FIFO", priority: 7, flags: ["SCHED_FLAG_RESET_ON_FORK"] });
  assert.ok(attributes);
  const bytes = Buffer.from(encodeSchedAttr(attributes));
  assert.deepEqual([bytes.readUInt32LE(0), bytes.readUInt32LE(4), bytes.readUInt32LE(8)], [48, 1, 1]);
  assert.deepEqual([bytes.readInt32LE(16), bytes.readUInt32LE(20)], [0, 7]);
});

test("what a policy does not have is refused", () => {
  const refused: readonly [object, RegExp][] = [
    [{}, /process\.scheduler\.policy/],
    [{ policy: "SCHED_WHATEVER" }, /process\.scheduler\.policy/],
    [{ policy: "SCHED_OTHER", nice: 20 }, /process\.scheduler\.nice: 20 is not between/],
    [{ policy: "SCHED_OTHER", priority: 1 }, /process\.scheduler\.priority: SCHED_OTHER has none/],
    [{ policy: "SCHED_FIFO", priority: 100 }, /process\.scheduler\.priority/],
    [{ policy: "SCHED_BATCH", runtime: 1 }, /process\.scheduler\.runtime: SCHED_BATCH has none/],
  ];
  for (const [fields, message] of refused) assert.throws(() => scheduler(fields), message);
  assert.throws(() => attributesOf(processWith({ ioPriority: { class: "IOPRIO_CLASS_BE", priority: 8 } }), undefined));
});

test("personality and memory policy are the container's, for every process", () => {
  const linux = linuxShape(
    { personality: { domain: "LINUX32" }, memoryPolicy: { mode: "MPOL_BIND", nodes: "0,2-3" } },
    "linux",
  );
  assert.deepEqual(attributesOf(processWith({}), linux), {
    personality: "LINUX32",
    memoryPolicy: { mode: "MPOL_BIND", flags: [], nodes: new Set([0, 2, 3]) },
  });
  const flagged = linuxShape({ personality: { domain: "LINUX", flags: ["X"] } }, "linux");
  assert.throws(() => attributesOf(processWith({}), flagged), /linux\.personality\.flags: X/);
});

test("the processors of exec", () => {
  assert.deepEqual(affinityOf(processWith({})), {});
  assert.deepEqual(affinityOf(processWith({ execCPUAffinity: { initial: "0", final: "" } })), {
    initial: new Set([0]),
  });
  assert.throws(() => affinityOf(processWith({ execCPUAffinity: { final: "x" } })), /execCPUAffinity\.final: "x"/);
});
