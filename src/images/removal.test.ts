import assert from "node:assert/strict";
import { test } from "node:test";
import { parseReference } from "../registry/reference.ts";
import { digestOf, hexOf } from "../storage/digest.ts";
import { hostImage } from "./host.ts";
import { planRemoval } from "./removal.ts";
import type { ImageUser, StoredImage } from "./types.ts";

const id = digestOf("image");
const manifest = digestOf("manifest");
const short = hexOf(id).slice(0, 12);
const stopped: ImageUser = { id: "c".repeat(64), running: false };
const running: ImageUser = { id: "d".repeat(64), running: true };

function plan(
  names: string[],
  written: string,
  o: { force?: boolean; users?: ImageUser[]; repoDigests?: string[] } = {},
) {
  const image: StoredImage = {
    ...hostImage(),
    id,
    names,
    repoDigests: o.repoDigests ?? [],
    virtual: undefined,
  } as never;
  const isId = hexOf(id).startsWith(written) || written === id;
  const reference = isId ? undefined : parseReference(written);
  return planRemoval({ image, written, reference, force: o.force ?? false, users: o.users ?? [] });
}

const conflict = (message: string) => ({ kind: "conflict", message: `conflict: ${message}` });

test("a name is untagged; the image goes with its last name", () => {
  assert.deepEqual(plan(["a:1", "b:1"], "a:1"), { untag: ["a:1"], delete: false });
  assert.deepEqual(plan(["a:1"], "a:1"), { untag: ["a:1"], delete: true });
});

test("the digests of a repository go with its last tag", () => {
  const repoDigests = [`a@${manifest}`, `b@${manifest}`];
  assert.deepEqual(plan(["a:1", "a:2"], "a:1", { repoDigests }), { untag: ["a:1"], delete: false });
  assert.deepEqual(plan(["a:1", "b:1"], "a:1", { repoDigests }), { untag: ["a:1", `a@${manifest}`], delete: false });
  assert.deepEqual(plan(["a:1"], "a:1", { repoDigests: [`a@${manifest}`] }), {
    untag: ["a:1", `a@${manifest}`],
    delete: true,
  });
  assert.deepEqual(plan(["a:1"], `a@${manifest}`, { repoDigests: [`a@${manifest}`] }), {
    untag: [`a@${manifest}`],
    delete: false,
  });
});

test("an id takes the image with its only name", () => {
  assert.deepEqual(plan(["a:1"], short, { repoDigests: [`a@${manifest}`] }), {
    untag: ["a:1", `a@${manifest}`],
    delete: true,
  });
  assert.deepEqual(plan([], id), { untag: [], delete: true });
  const many = `unable to delete ${short} (must be forced) - image is referenced in multiple repositories`;
  assert.throws(() => plan(["a:1", "b:1"], short), conflict(many));
  assert.throws(() => plan(["a:1", "a:2"], short), conflict(many));
  assert.deepEqual(plan(["a:1", "b:1"], short, { force: true }), { untag: ["a:1", "b:1"], delete: true });
});

test("containers keep their image", () => {
  const users = [stopped];
  const using = `(must force) - container cccccccccccc is using its referenced image ${short}`;
  assert.throws(
    () => plan(["a:1"], "a:1", { users }),
    conflict(`unable to remove repository reference "a:1" ${using}`),
  );
  assert.deepEqual(plan(["a:1", "b:1"], "a:1", { users }), { untag: ["a:1"], delete: false });
  const soft = `unable to delete ${short} (must be forced) - image is being used by stopped container cccccccccccc`;
  assert.throws(() => plan(["a:1"], short, { users }), conflict(soft));
  assert.deepEqual(plan(["a:1"], short, { users, force: true }), { untag: ["a:1"], delete: true });
});

test("a running container keeps it against force; its name can be taken", () => {
  const users = [stopped, running];
  const hard = `unable to delete ${short} (cannot be forced) - image is being used by running container dddddddddddd`;
  assert.throws(() => plan(["a:1"], short, { users, force: true }), conflict(hard));
  assert.deepEqual(plan(["a:1"], "a:1", { users, force: true }), { untag: ["a:1"], delete: false });
});

test("the machine's own root file system cannot be removed", () => {
  const request = {
    image: hostImage(),
    written: "sampan/host",
    reference: parseReference("sampan/host"),
    force: true,
    users: [],
  };
  assert.throws(() => planRemoval(request), { kind: "conflict", message: /sampan\/host \(cannot be forced\)/ });
});
