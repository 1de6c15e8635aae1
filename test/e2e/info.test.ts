import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { totalmem } from "node:os";
import { test } from "node:test";
import { docker } from "../support/docker.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });

/** What dockerd 28 tells, but for what it leaves out where there is none. */
const members = [
  ...["Architecture", "CDISpecDirs", "CPUSet", "CPUShares", "CgroupDriver", "CgroupVersion", "ContainerdCommit"],
  ...["Containers", "ContainersPaused", "ContainersRunning", "ContainersStopped", "CpuCfsPeriod", "CpuCfsQuota"],
  ...["Debug", "DefaultRuntime", "DockerRootDir", "Driver", "DriverStatus", "ExperimentalBuild", "FirewallBackend"],
  ...["GenericResources", "HttpProxy", "HttpsProxy", "ID", "IPv4Forwarding", "Images", "IndexServerAddress"],
  ...["InitBinary", "InitCommit", "Isolation", "KernelVersion", "Labels", "LiveRestoreEnabled", "LoggingDriver"],
  ...["MemTotal", "MemoryLimit", "NCPU", "NEventsListener", "NFd", "NGoroutines", "Name", "NoProxy", "OSType"],
  ...["OSVersion", "OomKillDisable", "OperatingSystem", "PidsLimit", "Plugins", "RegistryConfig", "RuncCommit"],
  ...["Runtimes", "SecurityOptions", "ServerVersion", "SwapLimit", "Swarm", "SystemTime", "Warnings"],
];

test("info has every member that clients know, and they are right", async () => {
  const { json } = await box.api("GET", "/info");
  const info = json as Record<string, unknown>;
  assert.deepEqual(
    members.filter((name) => !(name in info)),
    [],
  );
  assert.equal(info.MemTotal, totalmem());
  assert.equal(info.DockerRootDir, box.layout.root);
  assert.equal(info.LoggingDriver, "json-file");
  assert.ok(Number(info.NFd) > 5 && Number(info.NFd) < readdirSync("/proc/self/fd").length + 200);
  assert.deepEqual((info.DriverStatus as string[][]).map(([name]) => name).slice(0, 2), [
    "Backing Filesystem",
    "Supports d_type",
  ]);
  assert.equal((info.Swarm as { LocalNodeState: string }).LocalNodeState, "inactive");
});

test("docker info shows it", requires("docker"), async () => {
  const { status, stdout, stderr } = await docker(box, ["info"]);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /Storage Driver: overlay2\n {2}Backing Filesystem: \S+\n/);
});
