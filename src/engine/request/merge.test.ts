import assert from "node:assert/strict";
import { test } from "node:test";
import { SampanError } from "../../errors/index.ts";
import type { ContainerConfigRequest } from "../config.ts";
import { commandLine, mergeImage } from "./merge.ts";
import { normaliseConfig } from "./normalise.ts";

const image = {
  Entrypoint: ["/entry"],
  Cmd: ["serve"],
  Env: ["PATH=/bin", "A=image"],
  Labels: { a: "image", b: "image" },
  User: "web",
  WorkingDir: "/srv",
  Volumes: { "/data": {} },
  ExposedPorts: { "80/tcp": {} },
  StopSignal: "SIGQUIT",
};

const merge = (request: ContainerConfigRequest) => mergeImage(normaliseConfig(request), image);

function line(request: ContainerConfigRequest): string[] {
  const { path, args } = commandLine(merge(request));
  return [path, ...args];
}

test("what the request leaves out, the image gives", () => {
  const merged = merge({});
  assert.deepEqual(line({}), ["/entry", "serve"]);
  assert.equal(merged.User, "web");
  assert.equal(merged.WorkingDir, "/srv");
  assert.equal(merged.StopSignal, "SIGQUIT");
  assert.deepEqual(merged.Volumes, { "/data": {} });
});

test("a command keeps the image's entrypoint; an entrypoint drops the image's command", () => {
  assert.deepEqual(line({ Cmd: ["x"] }), ["/entry", "x"]);
  assert.deepEqual(line({ Entrypoint: ["sh"] }), ["sh"]);
  assert.deepEqual(line({ Entrypoint: ["sh"], Cmd: ["-c", "y"] }), ["sh", "-c", "y"]);
});

test("an entrypoint of one empty word is none, the image's included", () => {
  assert.deepEqual(line({ Entrypoint: [""], Cmd: ["x"] }), ["x"]);
  assert.throws(() => line({ Entrypoint: [""] }), isInvalid("no command specified"));
});

test("an empty entrypoint takes the image's entrypoint away and leaves its command", () => {
  assert.deepEqual(line({ Entrypoint: [] }), ["serve"]);
});

test("variables and labels are united, the request's win", () => {
  const merged = merge({ Env: ["A=request", "C=3"], Labels: { a: "request" }, ExposedPorts: { "81/tcp": {} } });
  assert.deepEqual(merged.Env, ["A=request", "C=3", "PATH=/bin"]);
  assert.deepEqual(merged.Labels, { a: "request", b: "image" });
  assert.deepEqual(Object.keys(merged.ExposedPorts ?? {}).sort(), ["80/tcp", "81/tcp"]);
});

test("a variable without a value hides the image's", () => {
  assert.deepEqual(merge({ Env: ["A"] }).Env, ["A", "PATH=/bin"]);
});

test("without anything to run there is an error", () => {
  assert.throws(() => commandLine(mergeImage(normaliseConfig({}), {})), isInvalid("no command specified"));
});

function isInvalid(message: string) {
  return (error: unknown) => error instanceof SampanError && error.kind === "invalid" && error.message === message;
}
