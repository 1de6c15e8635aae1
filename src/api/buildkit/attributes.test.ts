import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { SampanError } from "../../errors/index.ts";
import { parseAttributes } from "./attributes.ts";
import { checkFrontend } from "./frontend.ts";
import { cacheOnly, parseExporter, parseExporters } from "./outputs.ts";
import { definitionOf, resultIn } from "./results.ts";

const parse = (attributes: Readonly<Record<string, string>>) => parseAttributes(new Map(Object.entries(attributes)));
const unsupported = (error: unknown) => error instanceof SampanError && error.kind === "unsupported";

suite("the attributes of a BuildKit build", () => {
  test("what a plain build asks for", () => {
    const asked = parse({ filename: "Dockerfile", "image-resolve-mode": "local" });
    assert.deepEqual(asked.context, { kind: "local", name: "context" });
    assert.equal(asked.dockerfileDirectory, "dockerfile");
    assert.equal(asked.pull, false);
    assert.equal(asked.noCache, false);
    assert.equal(asked.call, "build");
    assert.equal(asked.network, "default");
  });

  test("arguments, labels, hosts and limits, in an order of their own", () => {
    const asked = parse({
      ...{ "label:b": "2", "label:a": "1", "build-arg:Z": "", "build-arg:A": "x=y" },
      ...{ "add-hosts": "one=192.0.2.1,two=::1", ulimit: "nofile=10:20,core=0", "shm-size": "1024" },
      ...{ "no-cache": "first,second", platform: "linux/arm64", "force-network-mode": "none", target: "t" },
    });
    assert.deepEqual(Object.keys(asked.labels), ["a", "b"]);
    assert.deepEqual(
      [...asked.buildArgs],
      [
        ["A", "x=y"],
        ["Z", ""],
      ],
    );
    assert.deepEqual(asked.limits.ExtraHosts, ["one:192.0.2.1", "two:::1"]);
    assert.deepEqual(asked.limits.Ulimits, [
      { Name: "nofile", Soft: 10, Hard: 20 },
      { Name: "core", Soft: 0, Hard: 0 },
    ]);
    assert.equal(asked.limits.ShmSize, 1024);
    assert.deepEqual(asked.noCache, ["first", "second"]);
    assert.equal(parse({ "no-cache": "" }).noCache, true);
    assert.equal(asked.network, "none");
  });

  test("contexts: the client's, uploaded, elsewhere", () => {
    const upload = parse({ context: "http://buildkit-session/abc", filename: "D" });
    assert.deepEqual(upload.context, { kind: "upload", id: "abc" });
    assert.equal(upload.dockerfileDirectory, undefined);
    const remote = parse({ context: "https://example.com/x.git", dockerfilekey: "dockerfile" });
    assert.deepEqual(remote.context, { kind: "remote", url: "https://example.com/x.git" });
    assert.equal(remote.dockerfileDirectory, "dockerfile");
    const named = parse({ "context:a": "local:dir", "context:b": "docker-image://debian" });
    assert.deepEqual([...named.directories], [["a", "dir"]]);
    assert.deepEqual(named.contexts, { a: { kind: "files" }, b: { kind: "image", reference: "debian" } });
  });

  test("contexts that are images of other builds, or of a layout", () => {
    const digest = `sha256:${"a".repeat(64)}`;
    const { borrowed, contexts } = parse({
      ...{ "context:base": "input:0-base", "context:laid": `oci-layout://store:latest@${digest}` },
      "context:also": "docker-image://debian",
    });
    assert.deepEqual(Object.keys(contexts), ["also"]);
    assert.deepEqual(borrowed.get("base"), { kind: "result", input: "0-base" });
    assert.deepEqual(borrowed.get("laid"), { kind: "layout", store: "store", digest });
    assert.equal(resultIn(definitionOf("ref-0")), "ref-0");
  });

  test("what cannot be honoured is refused", () => {
    assert.throws(() => parse({ "context:a": "oci-layout://x" }), unsupported);
    assert.throws(() => parse({ "context:a": "target:x" }), unsupported);
    assert.throws(() => parse({ "attest:sbom": "" }), unsupported);
    assert.throws(() => parse({ requestid: "frontend.other" }), unsupported);
    assert.throws(() => parse({ "memory-limit": "1" }), unsupported);
    assert.throws(() => parse({ "shm-size": "much" }));
    assert.doesNotThrow(() => parse({ "attest:provenance": "disabled=true", "vcs:source": "x" }));
  });

  test("outputs", () => {
    const parse = (exporter: Parameters<typeof parseExporter>[0]) => parseExporter(exporter, 0);
    const attributes = new Map([
      ["name", "a,b"],
      ["push", "true"],
    ]);
    assert.deepEqual(parse({ type: "moby", attributes }).tags, ["a", "b"]);
    assert.equal(cacheOnly.to, "none");
    assert.equal(parse({ type: "local" }).to, "directory");
    assert.equal(parse({ type: "oci" }).to, "archive");
    assert.equal(parse({ type: "oci", attributes: new Map([["tar", "false"]]) }).to, "content");
    assert.equal(parse({ type: "moby", attributes }).push, true);
    assert.throws(() => parse({ type: "moby", attributes: new Map([["compression", "zstd"]]) }), unsupported);
    assert.throws(() => parse({ type: "oci", attributes: new Map([["push", "true"]]) }), unsupported);
    const several = parseExporters([{ type: "tar" }, { type: "moby" }, { type: "local" }]);
    assert.deepEqual(
      several.map(({ to, place }) => `${place} ${to}`),
      ["1 store", "0 archive", "2 directory"],
    );
    const layout = { type: "oci", attributes: new Map([["tar", "false"]]) };
    assert.throws(() => parseExporters([layout, layout]), unsupported);
    const annotated = new Map([
      ["annotation.a.b", "1"],
      ["annotation-manifest[linux/arm64].c", "2"],
      ["annotation-index.d", "3"],
    ]);
    assert.deepEqual(parse({ type: "moby", attributes: annotated }).annotations, [
      { of: "index", platform: undefined, key: "d", value: "3" },
      { of: "manifest", platform: "linux/arm64", key: "c", value: "2" },
      { of: "manifest", platform: undefined, key: "a.b", value: "1" },
    ]);
    for (const [type, name] of [
      ["local", "annotation.a"],
      ["moby", "annotation-index-descriptor.a"],
    ] as const) {
      assert.throws(() => parse({ type, attributes: new Map([[name, "b"]]) }), unsupported);
    }
  });

  test("frontends: the Dockerfile's by any of its names, and no graph", () => {
    const request = { definition: undefined, inputs: new Map(), attributes: new Map<string, string>() };
    const from = (source: string) =>
      checkFrontend({ ...request, frontend: "gateway.v0", attributes: new Map([["source", source]]) });
    assert.doesNotThrow(() => checkFrontend({ ...request, frontend: "dockerfile.v0" }));
    for (const name of ["docker/dockerfile:1", "docker.io/docker/dockerfile-upstream:master", "docker/dockerfile"]) {
      assert.doesNotThrow(() => from(name));
    }
    for (const name of ["example.com/docker/dockerfile:1", "docker/dockerfilex", "tonistiigi/x"]) {
      assert.throws(() => from(name), unsupported);
    }
    const syntax = new Map([["build-arg:BUILDKIT_SYNTAX", "example.com/other:1 more"]]);
    assert.throws(() => checkFrontend({ ...request, frontend: "dockerfile.v0", attributes: syntax }), unsupported);
    assert.throws(() => checkFrontend({ ...request, frontend: "" }), unsupported);
    assert.throws(
      () =>
        checkFrontend({
          ...request,
          frontend: "dockerfile.v0",
          inputs: new Map([["base", { operations: [Buffer.from("")] }]]),
        }),
      unsupported,
    );
  });
});
