import assert from "node:assert/strict";
import { test } from "node:test";
import { kindOf, messageOf } from "../../errors/index.ts";
import type { HostConfigRequest } from "../config.ts";
import { normaliseHostConfig } from "./normalise.ts";
import { refuseUnsupported } from "./refusals.ts";

function refusal(host: HostConfigRequest): string | undefined {
  try {
    refuseUnsupported(normaliseHostConfig(host));
    return undefined;
  } catch (error) {
    return `${kindOf(error)}: ${messageOf(error)}`;
  }
}

test("the HostConfig that the docker CLI always sends is accepted", () => {
  const usual = {
    Binds: null,
    ContainerIDFile: "",
    LogConfig: { Type: "", Config: {} },
    NetworkMode: "default",
    PortBindings: {},
    RestartPolicy: { Name: "no", MaximumRetryCount: 0 },
    AutoRemove: false,
    VolumeDriver: "",
    VolumesFrom: null,
    ConsoleSize: [0, 0] as const,
    CapAdd: null,
    CapDrop: null,
    CgroupnsMode: "",
    Dns: [],
    DnsOptions: [],
    DnsSearch: [],
    ExtraHosts: null,
    GroupAdd: null,
    IpcMode: "",
    Cgroup: "",
    Links: null,
    OomScoreAdj: 0,
    PidMode: "",
    Privileged: false,
    PublishAllPorts: false,
    ReadonlyRootfs: false,
    SecurityOpt: null,
    UTSMode: "",
    UsernsMode: "",
    ShmSize: 0,
    Isolation: "",
    CpuShares: 0,
    Memory: 0,
    NanoCpus: 0,
    CgroupParent: "",
    BlkioWeight: 0,
    BlkioWeightDevice: [],
    BlkioDeviceReadBps: [],
    CpuRealtimePeriod: 0,
    Devices: [],
    DeviceCgroupRules: null,
    DeviceRequests: null,
    MemorySwappiness: -1,
    OomKillDisable: false,
    PidsLimit: 0,
    Ulimits: [],
    CpuCount: 0,
    CpuPercent: 0,
    IOMaximumIOps: 0,
    IOMaximumBandwidth: 0,
    MaskedPaths: null,
    ReadonlyPaths: null,
  };
  assert.equal(refusal(usual), undefined);
  const host = normaliseHostConfig(usual);
  assert.equal(host.NetworkMode, "default");
  assert.equal(host.IpcMode, "private");
  assert.equal(host.MemorySwappiness, null);
  assert.equal(host.ShmSize, 64 * 1024 * 1024);
});

const refused: readonly (readonly [HostConfigRequest, RegExp])[] = [
  [{ DeviceRequests: [{}] }, /^unsupported: Cannot honour DeviceRequests/],
  [
    { LogConfig: { Type: "gelf", Config: {} } },
    /^invalid: error looking up logging plugin gelf: plugin "gelf" not found/,
  ],
  [{ LogConfig: { Type: "json-file", Config: { "max-sise": "1m" } } }, /^invalid: unknown log opt 'max-sise'/],
  [{ Runtime: "kata" }, /^invalid: unknown or invalid runtime name: kata/],
  [{ RestartPolicy: { Name: "often", MaximumRetryCount: 0 } }, /^invalid: invalid restart policy/],
  [{ RestartPolicy: { Name: "always", MaximumRetryCount: 3 } }, /^invalid: invalid restart policy/],
  [
    { RestartPolicy: { Name: "always", MaximumRetryCount: 0 }, AutoRemove: true },
    /^invalid: can't create 'AutoRemove'/,
  ],
];

for (const [host, pattern] of refused) {
  test(`${JSON.stringify(host)} is refused`, () => assert.match(refusal(host) ?? "", pattern));
}

test("privileged and systempaths=unconfined hide nothing", () => {
  assert.equal(normaliseHostConfig({ Privileged: true }).MaskedPaths, null);
  assert.equal(normaliseHostConfig({ SecurityOpt: ["systempaths=unconfined"] }).ReadonlyPaths, null);
  assert.ok(normaliseHostConfig({}).MaskedPaths?.includes("/proc/kcore"));
  assert.deepEqual(normaliseHostConfig({ MaskedPaths: [] }).MaskedPaths, []);
});
