import assert from "node:assert/strict";
import { test } from "node:test";
import { kindOf } from "../../errors/index.ts";
import { parseDeviceRule } from "./devices.ts";
import { filterOf, parseSecurityOptions } from "./security.ts";
import { resolveSysctls } from "./sysctls.ts";
import { readCeilings, resolveUlimits } from "./ulimits.ts";

const kind = (action: () => unknown): string => {
  try {
    action();
    return "none";
  } catch (error) {
    return kindOf(error);
  }
};

test("security options in both spellings", () => {
  assert.equal(parseSecurityOptions(["no-new-privileges"]).noNewPrivileges, true);
  assert.equal(parseSecurityOptions(["no-new-privileges:false"]).noNewPrivileges, false);
  assert.equal(parseSecurityOptions(["seccomp=unconfined"]).seccomp, "unconfined");
  assert.equal(parseSecurityOptions(["apparmor=unconfined", "label=disable"]).seccomp, "default");
});

test("what needs a security module is refused, nonsense is invalid", () => {
  assert.equal(
    kind(() => parseSecurityOptions(["apparmor=docker-default"])),
    "unsupported",
  );
  assert.equal(
    kind(() => parseSecurityOptions(["label=type:x"])),
    "unsupported",
  );
  assert.equal(
    kind(() => parseSecurityOptions(["what=ever"])),
    "invalid",
  );
  assert.equal(
    kind(() => parseSecurityOptions(["seccomp={"])),
    "invalid",
  );
});

const confined = { privileged: false, limited: false };
const privileged = { privileged: true, limited: false };

test("privileged takes the default filter away, not one that was asked for", () => {
  const own = parseSecurityOptions([
    'seccomp={"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_ERRNO"}]}',
  ]);
  assert.ok(filterOf(parseSecurityOptions([]), confined, []));
  assert.equal(filterOf(parseSecurityOptions([]), privileged, []), undefined);
  assert.ok(filterOf(own, privileged, []));
});

const limits = `Limit                     Soft Limit           Hard Limit           Units
Max open files            1024                 20000                files
Max locked memory         unlimited            unlimited            bytes
`;
const without = readCeilings(limits, "CapEff:\t0000000000000000\n");

test("a default that we cannot give is lowered, a limit that was asked for is refused", () => {
  assert.deepEqual(resolveUlimits([], without), [{ name: "nofile", soft: 1024, hard: 20000 }]);
  assert.equal(
    kind(() => resolveUlimits([{ Name: "nofile", Soft: 1, Hard: 20001 }], without)),
    "unsupported",
  );
  assert.deepEqual(
    resolveUlimits(
      [
        { Name: "memlock", Soft: -1, Hard: -1 },
        { Name: "nofile", Soft: 5, Hard: 9 },
      ],
      without,
    ),
    [
      { name: "memlock", soft: -1, hard: -1 },
      { name: "nofile", soft: 5, hard: 9 },
    ],
  );
});

test("with CAP_SYS_RESOURCE there is no ceiling", () => {
  assert.equal(readCeilings(limits, "CapEff:\t0000000001000000\n"), undefined);
  assert.deepEqual(resolveUlimits([], undefined), [{ name: "nofile", soft: 1024, hard: 524288 }]);
});

test("limits that make no sense are invalid", () => {
  assert.equal(
    kind(() => resolveUlimits([{ Name: "nofiles", Soft: 1, Hard: 1 }], undefined)),
    "invalid",
  );
  assert.equal(
    kind(() => resolveUlimits([{ Name: "nofile", Soft: 2, Hard: 1 }], undefined)),
    "invalid",
  );
});

test("rules of the device cgroup", () => {
  assert.deepEqual(parseDeviceRule("c 1:* rw"), { allow: true, type: "c", major: 1, access: "rw" });
  assert.equal(
    kind(() => parseDeviceRule("c 1 rw")),
    "invalid",
  );
});

test("only settings of the container's own namespaces may be made", () => {
  const host = { NetworkMode: "none", IpcMode: "private" };
  assert.equal(resolveSysctls({ ...host, Sysctls: { "net.core.somaxconn": "5" } })["net.core.somaxconn"], "5");
  assert.equal(
    kind(() => resolveSysctls({ ...host, Sysctls: { "vm.swappiness": "1" } })),
    "invalid",
  );
  assert.equal(
    kind(() => resolveSysctls({ NetworkMode: "host", IpcMode: "private", Sysctls: { "net.core.somaxconn": "5" } })),
    "invalid",
  );
  assert.deepEqual(resolveSysctls({ NetworkMode: "host", IpcMode: "private" }), {});
});
