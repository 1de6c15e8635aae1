import assert from "node:assert/strict";
import { test } from "node:test";
import type { StoredImage } from "../../images/types.ts";
import type { Digest } from "../../storage/digest.ts";
import { versionNumber } from "../http/versions.ts";
import { imageHistory, imageInspect, imageSummary } from "./image.ts";

const digest = (digit: string): Digest => `sha256:${digit.repeat(64)}` as Digest;

const image: StoredImage = {
  id: digest("1"),
  names: [],
  repoDigests: [],
  indexes: [],
  targets: {},
  config: {
    os: "linux",
    architecture: "amd64",
    rootfs: { type: "layers", diff_ids: [] },
    history: [
      { created: "2026-01-01T00:00:00Z", created_by: "ADD rootfs" },
      { created: "2026-01-02T00:00:00Z", created_by: "ENV a=b", empty_layer: true },
      { created: "2026-01-03T00:00:00Z", created_by: "RUN true", comment: "last" },
    ],
  },
  layers: [
    { diffId: digest("2"), chainId: digest("2"), size: 100 },
    { diffId: digest("3"), chainId: digest("4"), size: 5 },
  ] as unknown as StoredImage["layers"],
  size: 105,
  createdAt: "2026-01-03T00:00:00Z",
  taggedAt: "",
};

test("old clients see <none> where there is no name, and the size twice", () => {
  const old = imageSummary(image, versionNumber("1.24"), 3);
  assert.deepEqual(old.RepoTags, ["<none>:<none>"]);
  assert.equal(old.VirtualSize, 105);
  assert.equal(old.Containers, -1);
  const latest = imageSummary(image, versionNumber("1.51"), 3);
  assert.deepEqual(latest.RepoTags, []);
  assert.equal(latest.VirtualSize, undefined);
  assert.equal(latest.Containers, 3);
  assert.equal(latest.Created, Date.parse("2026-01-03") / 1000);
});

test("inspect lost members over time", () => {
  assert.ok("ContainerConfig" in imageInspect(image, versionNumber("1.44")));
  assert.ok(!("ContainerConfig" in imageInspect(image, versionNumber("1.45"))));
});

test("history is told backwards, with the size of the layer a step made", () => {
  assert.deepEqual(
    imageHistory(image).map(({ Id, CreatedBy, Size, Comment }) => [Id, CreatedBy, Size, Comment]),
    [
      [image.id, "RUN true", 5, "last"],
      ["<missing>", "ENV a=b", 0, ""],
      ["<missing>", "ADD rootfs", 100, ""],
    ],
  );
});
