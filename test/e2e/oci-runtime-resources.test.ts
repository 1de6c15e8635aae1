import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { after, describe, test } from "node:test";
import { OciSandbox, runtimes, sampanRuntime } from "../support/oci.ts";
import { requires, requiresKernel, requiresRoot } from "../support/requires.ts";

/** Controllers that few containers ask for. v1's machines seldom have them mounted (src/cgroups/limits.test.ts has their files). */
const isV2 = existsSync("/sys/fs/cgroup/cgroup.controllers");
const sizes = readdirSync("/sys/kernel/mm/hugepages").map((name) => Number(/\d+/.exec(name)?.[0]) * 1024);
const smallest = Math.min(...sizes);
const pageSize = smallest < 1 << 20 ? `${smallest >> 10}KB` : `${smallest >> 20}MB`;

for (const { name, binary } of runtimes) {
  const skip = binary === undefined ? requires(name) : requiresRoot();
  describe(`huge pages by ${name}`, skip, () => {
    const sandbox = new OciSandbox(binary ?? "");

    after(async () => assert.deepEqual(await sandbox.close(), []));

    test("their limit", requiresKernel(isV2 ? undefined : "cgroup v2's controller hugetlb"), async () => {
      let cgroup = "";
      const bundle = await sandbox.bundle((config) => {
        config.process.args = ["sleep", "1000"];
        const limits = { hugepageLimits: [{ pageSize, limit: 4 * smallest }] };
        config.linux.resources = { ...(config.linux.resources as object), ...limits };
        cgroup = String(config.linux.cgroupsPath);
      });
      await sandbox.detached("run", "--detach", "--bundle", bundle, "huge");
      const read = (file: string) => readFileSync(`/sys/fs/cgroup${cgroup}/hugetlb.${pageSize}.${file}`, "utf8").trim();
      assert.equal(read("max"), String(4 * smallest));
      if (name === "sampan-runtime") assert.equal(read("rsvd.max"), String(4 * smallest));
      await sandbox.ok("delete", "--force", "huge");
    });
  });
}

describe("rare resources that the machine cannot limit", requiresRoot(), () => {
  const sandbox = new OciSandbox(sampanRuntime);

  after(async () => assert.deepEqual(await sandbox.close(), []));

  async function refused(resources: object, why: RegExp): Promise<void> {
    const bundle = await sandbox.bundle((config) => {
      config.linux.resources = resources;
    });
    const { status, stderr } = await sandbox.run(["run", "--bundle", bundle, "refused"]);
    assert.equal(status, 1);
    assert.match(stderr, why);
  }

  test("are refused by their names", async () => {
    const page = (size: string) => ({ hugepageLimits: [{ pageSize: size, limit: 0 }] });
    await refused(page("../2MB"), /Cannot limit huge pages of .*2MB.*: a size is like 2MB or 1GB/);
    await refused({ rdma: { "no such": { hcaHandles: 1 } } }, /Cannot limit RDMA of .*no such.*: not the name/);
    const network = { classID: 1, priorities: [] };
    await refused({ network }, isV2 ? /cgroup v2 has no classes/ : /cgroup controller net_cls: it is not mounted/);
    const other = isV2
      ? /hugetlb: there is no hugetlb\.3MB\.max; this machine has no huge pages of that size/
      : /hugetlb: it is not/;
    await refused(page("3MB"), other);
  });
});
