import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bundle } from "../config/bundle.ts";
import { configShape } from "../config/config.ts";
import { defaultConfig } from "../config/default-config.ts";
import { parse } from "../config/shape.ts";
import { cgroupPathOf, containerOf } from "./container.ts";

/** A bundle in a directory that is there, whose config.json is `spec`'s with some fields of its own. */
function bundle(fields: Record<string, unknown> = {}, linux: Record<string, unknown> = {}): Bundle {
  const base = defaultConfig();
  const document = { ...base, root: { path: import.meta.dirname }, ...fields, linux: { ...base.linux, ...linux } };
  return { directory: "/bundle", config: parse(JSON.stringify(document), configShape, "config.json") };
}

const translate = (...fields: Parameters<typeof bundle>) =>
  containerOf(bundle(...fields), { id: "x", newKeyring: true, pivot: true });

test("what `spec` writes is a container", () => {
  const container = translate();
  assert.deepEqual(container.process.argv, ["sh"]);
  assert.equal(container.process.terminal, true);
  assert.equal(container.hostname, "sampan");
  const made = Object.entries(container.namespaces).filter(([, namespace]) => namespace === "new");
  assert.deepEqual(made.map(([kind]) => kind).sort(), ["cgroup", "ipc", "network", "pid", "uts"]);
  assert.equal(container.root.readOnly, false);
  assert.equal(container.root.propagation, "rslave");
  assert.equal(container.cgroupPath, "/sampan-runtime/x");
  assert.ok(container.ownDev);
});

test("namespaces that are not listed are the caller's; a path is joined", () => {
  const namespaces = [{ type: "mount" }, { type: "network", path: "/run/netns/a" }, { type: "uts" }];
  assert.deepEqual(translate({}, { namespaces }).namespaces, {
    user: "host",
    time: "host",
    pid: "host",
    network: { path: "/run/netns/a" },
    ipc: "host",
    uts: "new",
    cgroup: "host",
  });
});

test("namespaces that cannot be had are refused by their field", () => {
  const mount = { type: "mount" };
  const refused = (namespaces: unknown[], text: RegExp) =>
    assert.throws(() => translate({ hostname: "" }, { namespaces }), text);
  refused([], /linux\.namespaces: a container without a mount namespace/);
  refused([mount, mount], /linux\.namespaces\[1\]: the type mount is there twice/);
  refused([mount, { type: "network", path: "ns" }], /linux\.namespaces\[1\]\.path: ns is not an absolute path/);
  assert.throws(() => translate({}, { namespaces: [mount] }), /hostname: it cannot be set without a UTS namespace/);
});

test("a listed device takes the place of the default one", () => {
  const { devices } = translate(
    {},
    { devices: [{ path: "/dev/null", type: "u", major: 1, minor: 3, fileMode: 0o600 }] },
  );
  const [null_] = devices.filter(({ path }) => path === "/dev/null");
  assert.deepEqual(null_, { path: "/dev/null", type: "c", major: 1, minor: 3, mode: 0o600, uid: 0, gid: 0 });
  assert.equal(devices.length, 6);
});

test("kernel parameters are those of namespaces that the container has", () => {
  assert.deepEqual(translate({}, { sysctl: { "net.core.somaxconn": "1" } }).sysctls, { "net.core.somaxconn": "1" });
  assert.throws(
    () => translate({}, { sysctl: { "vm.swappiness": "1" } }),
    /linux\.sysctl\.vm\.swappiness: .* the whole machine's/,
  );
  const namespaces = [{ type: "mount" }];
  const sysctl = { "kernel.shmmni": "1" };
  assert.throws(
    () => translate({ hostname: "" }, { namespaces, sysctl }),
    /linux\.sysctl\.kernel\.shmmni: .* no ipc namespace/,
  );
});

test("cgroups are where config.json says, and never above the root", () => {
  assert.equal(cgroupPathOf({ cgroupsPath: "/a//b/" }, "x"), "/a/b");
  assert.equal(cgroupPathOf({ cgroupsPath: "a/b" }, "x"), "/sampan-runtime/a/b");
  assert.equal(cgroupPathOf({ cgroupsPath: undefined }, "x"), "/sampan-runtime/x");
  for (const cgroupsPath of ["/", "/a/../..", ".."])
    assert.throws(() => cgroupPathOf({ cgroupsPath }, "x"), /linux\.cgroupsPath/);
});

test("hooks need absolute paths, and time limits that are some", () => {
  const hooks = (hook: object) => () => translate({ hooks: { createContainer: [hook] } });
  assert.throws(hooks({ path: "x" }), /hooks\.createContainer\[0\]\.path: x is not an absolute path/);
  assert.throws(hooks({ path: "/x", timeout: 0 }), /hooks\.createContainer\[0\]\.timeout/);
  const [before, after] = translate({ annotations: { a: '"' } }).hooks.state("creating");
  assert.deepEqual(JSON.parse(`${before}17${after}`), {
    ociVersion: "1.3.0",
    id: "x",
    status: "creating",
    pid: 17,
    bundle: "/bundle",
    annotations: { a: '"' },
  });
});
