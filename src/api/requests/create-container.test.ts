import assert from "node:assert/strict";
import { test } from "node:test";
import { SampanError } from "../../errors/index.ts";
import { versionNumber } from "../http/versions.ts";
import { parseCreateContainer } from "./create-container.ts";
import { modernise } from "./create-shims.ts";

function refused(json: unknown, message: RegExp): void {
  assert.throws(
    () => parseCreateContainer(json),
    (error) => error instanceof SampanError && error.kind === "invalid" && message.test(error.message),
  );
}

test("members may be missing or null, and unknown ones are ignored", () => {
  const json = { Image: "a", Cmd: null, Env: null, Wings: 2, HostConfig: { Init: null, Feathers: [] } };
  const { config, hostConfig, endpoints } = parseCreateContainer(json);
  assert.deepEqual({ ...config }, { Image: "a", Cmd: null, Env: null });
  assert.deepEqual({ ...hostConfig }, { Init: null });
  assert.equal(endpoints, undefined);
});

test("names match whatever their case, the exact one first", () => {
  assert.equal(parseCreateContainer({ image: "a" }).config.Image, "a");
  assert.equal(parseCreateContainer({ image: "a", Image: "b" }).config.Image, "b");
  assert.equal(
    parseCreateContainer({ Image: "b", hostconfig: { networkmode: "host" } }).hostConfig?.NetworkMode,
    "host",
  );
});

test("a command may be one string", () => {
  assert.deepEqual(parseCreateContainer({ Image: "a", Cmd: "ls -l" }).config.Cmd, ["ls -l"]);
});

test("members named as those of every object are only members", () => {
  const json = JSON.parse('{"Image":"a","Labels":{"__proto__":"x","constructor":"y"},"__proto__":{"Tty":true}}');
  const { config } = parseCreateContainer(json);
  assert.equal(config.Tty, undefined);
  assert.equal(config.Labels?.constructor, "y");
});

test("wrong types are refused and named", () => {
  refused({ Image: 3 }, /^invalid JSON: cannot use Image: /);
  refused({ Image: "a", HostConfig: { Memory: "1g" } }, /HostConfig\.Memory/);
  refused({ Image: "a", HostConfig: { Mounts: [{ Target: 5 }] } }, /HostConfig\.Mounts\.0\.Target/);
  refused([], /expected object, received array/);
  refused("x", /expected object, received string/);
});

test("nothing is no container", () => {
  for (const json of [undefined, null, {}]) refused(json, /^config cannot be empty in order to create a container$/);
});

const v1 = { cgroupVersion: "1" } as const;

function shimmed(version: string, hostConfig: object, machine: { cgroupVersion: "1" | "2" } = v1) {
  return modernise({ platform: "linux/arm64", config: {}, hostConfig }, versionNumber(version), machine);
}

test("old versions mean what they meant", () => {
  const { hostConfig, platform } = shimmed("1.24", { AutoRemove: true, PidsLimit: 0, ConsoleSize: [1, 2] });
  assert.equal(platform, undefined);
  assert.equal(hostConfig?.AutoRemove, false);
  assert.equal(hostConfig?.IpcMode, "shareable");
  assert.equal(hostConfig?.CgroupnsMode, "host");
  assert.equal(hostConfig?.PidsLimit, null);
  assert.deepEqual(hostConfig?.ConsoleSize, [0, 0]);
});

test("on cgroup v2 the cgroup namespace was private before 1.41, too", () => {
  assert.equal(shimmed("1.40", {}, { cgroupVersion: "2" }).hostConfig?.CgroupnsMode, undefined);
});

test("before 1.44 nobody could say what becomes of mounts below a read-only one", () => {
  const bind = { Type: "bind", Source: "/a", Target: "/b", ReadOnly: true };
  const of = (version: string, mount: object) =>
    shimmed(version, { Mounts: [{ ...bind, ...mount }] }).hostConfig?.Mounts?.[0]?.BindOptions;
  assert.equal(of("1.43", {}), undefined);
  assert.equal(of("1.43", { BindOptions: { ReadOnlyNonRecursive: true } })?.ReadOnlyNonRecursive, undefined);
  assert.equal(of("1.44", { BindOptions: { ReadOnlyNonRecursive: true } })?.ReadOnlyNonRecursive, true);
});

test("before 1.44 a container joins one network", () => {
  const request = { config: {}, endpoints: { a: {}, b: {} } };
  assert.throws(() => modernise(request, versionNumber("1.43"), v1), /a, b/);
  modernise(request, versionNumber("1.44"), v1);
});

test("the latest version is left as it is but for what the kernel dropped", () => {
  const host = { AutoRemove: true, KernelMemory: 5, IpcMode: "" };
  assert.deepEqual(shimmed("1.51", host).hostConfig, { ...host, KernelMemory: 0 });
});
