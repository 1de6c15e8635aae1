import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../storage/digest.ts";
import type { Index } from "./shapes.ts";
import { choosePlatform } from "./suits.ts";

const entry = (name: string, os?: string, architecture = "", variant?: string): Index["manifests"][number] => ({
  mediaType: "",
  digest: digestOf(name),
  size: 1,
  ...(os === undefined ? {} : { platform: { os, architecture, variant } }),
});
const index = (...manifests: Index["manifests"]): Index => ({ schemaVersion: 2, manifests });
const arm = { os: "linux", architecture: "arm", variant: "v7" };

test("the best variant is chosen, whatever the order", () => {
  const v5 = entry("v5", "linux", "arm", "v5");
  const v7 = entry("v7", "linux", "arm", "v7");
  assert.equal(choosePlatform(index(v5, v7), arm, "x"), v7);
  assert.equal(choosePlatform(index(entry("64", "linux", "arm64"), v5), arm, "x"), v5);
});

test("attestations are no images", () => {
  const image = entry("image", "linux", "arm", "v7");
  assert.equal(choosePlatform(index(entry("attestation", "unknown", "unknown"), image), arm, "x"), image);
});

test("a single entry without platform is taken as it is", () => {
  const only = entry("only");
  assert.equal(choosePlatform(index(only), arm, "x"), only);
});

test("nothing that suits is an error with Docker's text", () => {
  const none = () => choosePlatform(index(entry("a", "linux", "s390x"), entry("b", "windows", "arm", "v7")), arm, "x");
  assert.throws(none, {
    kind: "not-found",
    message: /no matching manifest for linux\/arm\/v7 in the manifest list entries/,
  });
});
