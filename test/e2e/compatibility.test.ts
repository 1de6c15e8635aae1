import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Answer } from "../support/compatibility/call.ts";
import { compare, type Difference, type Flat, isListed, kindsOf } from "../support/compatibility/compare.ts";
import { play } from "../support/compatibility/play.ts";
import { differences, flatAnswers, record, recordedKinds } from "../support/compatibility/recorded.ts";
import { session } from "../support/compatibility/session.ts";
import { busybox, dockerArchive, tar } from "../support/images.ts";
import type { Machine } from "../support/machine.ts";
import { DockerdMachine } from "../support/machine-dockerd.ts";
import { SampanMachine } from "../support/machine-sampan.ts";
import { hasPeers, isRecording } from "../support/peers.ts";
import { runProgram } from "../support/process.ts";
import { requires } from "../support/requires.ts";
import { image } from "../support/uplink.ts";

const { varies, machine: ofMachine, moment, differences: listed } = differences;

/** Plays the session against an engine that knows nothing yet. */
async function answersOf(machine: Machine): Promise<Map<string, Answer>> {
  const tree = await tar([
    { name: "file", body: "content", uid: 1000, gid: 1000, mode: 0o640 },
    { name: "dir", type: "directory" },
    { name: "dir/in", body: "x" },
    { name: "dir/link", type: "symlink", linkname: "in" },
  ]);
  const archive = await dockerArchive(await busybox(), ["busybox:latest"]);
  await machine.open();
  try {
    await runProgram("docker", ["rmi", "-f", image], { env: machine.env });
    await new Promise((resolve) => setTimeout(resolve, 1100)); // events are asked for by the second
    const socket = machine.env.DOCKER_HOST?.slice("unix://".length) ?? "";
    return await play(socket, session(archive, tree));
  } finally {
    await machine.close();
  }
}

function byStep(ours: Readonly<Record<string, Flat>>, theirs: Readonly<Record<string, Flat>>): Difference[] {
  return Object.keys(ours).flatMap((step) => compare(step, ours[step] ?? {}, theirs[step] ?? {}, varies));
}

function unlisted(found: readonly Difference[], lists: readonly (typeof listed)[]): string[] {
  return found
    .filter(({ step, path }) => !lists.flat().some((each) => isListed(each, step, path)))
    .map(({ step, path, ours, theirs }) => `${step}: ${path} is ${ours}, dockerd's ${theirs}`);
}

suite("the same session as dockerd", requires("docker", "busybox", "cc", "ip"), () => {
  const started = answersOf(new SampanMachine([]));
  started.catch(() => {}); // told by the tests

  test("every answer has the kinds of dockerd's, or the difference is listed", async () => {
    const ours = flatAnswers(await started);
    const kinds = Object.fromEntries(Object.entries(ours).map(([step, flat]) => [step, kindsOf(flat)]));
    const theirs = recordedKinds();
    assert.deepEqual(Object.keys(theirs), Object.keys(ours), "SAMPAN_RECORD=1 records dockerd's answers to new steps");
    assert.deepEqual(unlisted(byStep(kinds, theirs), [listed, moment, ofMachine]), []);
  });

  // What is recorded has no values: only beside a dockerd can those be compared.
  const beside = hasPeers() ? test : () => {};
  beside("every answer has the values of dockerd's", async () => {
    const ours = flatAnswers(await started);
    const theirs = flatAnswers(await answersOf(new DockerdMachine([])));
    if (isRecording) {
      record(Object.fromEntries(Object.entries(theirs).map(([step, flat]) => [step, kindsOf(flat)])));
    }
    const found = byStep(ours, theirs);
    assert.deepEqual(unlisted(found, [listed, moment]), []);
    const stale = listed.filter((each) => !found.some(({ step, path }) => isListed(each, step, path)));
    assert.deepEqual(stale, [], "listed, but the same by now");
  });
});
