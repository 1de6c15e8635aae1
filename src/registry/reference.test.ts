import assert from "node:assert/strict";
import { test } from "node:test";
import { SampanError } from "../errors/index.ts";
import { parseDigest } from "../storage/digest.ts";
import { parseReference, withVersion } from "./reference.ts";

const hex = "0123456789abcdef".repeat(4);

test("names are completed as Docker completes them", () => {
  const cases: [written: string, canonical: string, familiar: string][] = [
    ["debian", "docker.io/library/debian:latest", "debian:latest"],
    ["debian:12", "docker.io/library/debian:12", "debian:12"],
    ["docker.io/debian", "docker.io/library/debian:latest", "debian:latest"],
    ["index.docker.io/debian", "docker.io/library/debian:latest", "debian:latest"],
    ["library/debian", "docker.io/library/debian:latest", "debian:latest"],
    ["grafana/grafana", "docker.io/grafana/grafana:latest", "grafana/grafana:latest"],
    ["docker.io/library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest"],
    ["quay.io/a/b:c", "quay.io/a/b:c", "quay.io/a/b:c"],
    ["localhost/a", "localhost/a:latest", "localhost/a:latest"],
    ["localhost:5000/a", "localhost:5000/a:latest", "localhost:5000/a:latest"],
    ["Host/a", "Host/a:latest", "Host/a:latest"],
    ["[::1]:5000/a:b", "[::1]:5000/a:b", "[::1]:5000/a:b"],
    ["a__b/c--d.e_f", "docker.io/a__b/c--d.e_f:latest", "a__b/c--d.e_f:latest"],
    [`debian@sha256:${hex}`, `docker.io/library/debian@sha256:${hex}`, `debian@sha256:${hex}`],
    [`debian:12@sha256:${hex}`, `docker.io/library/debian:12@sha256:${hex}`, `debian:12@sha256:${hex}`],
  ];
  for (const [written, canonical, familiar] of cases) {
    const reference = parseReference(written);
    assert.equal(reference.canonical, canonical, written);
    assert.equal(reference.familiar, familiar, written);
    assert.deepEqual(parseReference(reference.canonical), reference, written);
    assert.deepEqual(parseReference(reference.familiar), reference, written);
  }
});

test("a digest without tag gets no tag", () => {
  assert.equal(parseReference(`debian@sha256:${hex}`).tag, undefined);
});

test("malformed names are refused with Docker's texts", () => {
  const cases: [written: string, message: RegExp][] = [
    ["", /^invalid reference format/],
    ["debian:", /^invalid reference format$/],
    [":tag", /^invalid reference format$/],
    ["a//b", /^invalid reference format$/],
    ["a/b/", /^invalid reference format$/],
    ["-a", /^invalid reference format$/],
    ["a:b:c", /^invalid reference format$/],
    ["a b", /^invalid reference format$/],
    ["a..b", /^invalid reference format$/],
    ["../etc", /^invalid reference format$/],
    [`a:${"t".repeat(129)}`, /^invalid reference format$/],
    ["a@sha256:abc", /^invalid reference format$/],
    [`a@md5:${"0".repeat(32)}`, /^unsupported digest algorithm$/],
    ["Debian", /repository name \(library\/Debian\) must be lowercase/],
    [hex, /cannot specify 64-byte hexadecimal strings/],
    [`quay.io/${"a".repeat(256)}`, /must not be more than 255 characters/],
  ];
  for (const [written, message] of cases) {
    assert.throws(
      () => parseReference(written),
      (error) => error instanceof SampanError && error.kind === "invalid" && message.test(error.message),
      JSON.stringify(written),
    );
  }
});

test("another version of the same repository", () => {
  const reference = parseReference("quay.io/a/b:c");
  assert.equal(withVersion(reference, { tag: "d" }).familiar, "quay.io/a/b:d");
  assert.equal(withVersion(reference, { digest: parseDigest(`sha256:${hex}`) }).familiar, `quay.io/a/b@sha256:${hex}`);
});
