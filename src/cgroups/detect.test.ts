import assert from "node:assert/strict";
import { test } from "node:test";
import { detectCgroups } from "./detect.ts";

const none = { mountinfo: "", selfCgroup: "", v2Controllers: "" };

test("a machine with every controller mounted apart and an empty v2 hierarchy is v1", () => {
  const layout = detectCgroups({
    mountinfo: `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
33 31 0:30 / /sys/fs/cgroup/cpuacct rw,relatime - cgroup cgroup rw,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:7 - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw`,
    selfCgroup: "9:name=systemd:/system.slice/cron.service\n4:memory:/process_api/ff03\n1:cpu:/\n0::/\n",
    v2Controllers: "hugetlb\n",
  });
  assert.equal(layout.version, "v1");
  assert.equal(layout.mode, "hybrid");
  assert.equal(layout.own, "/system.slice/cron.service");
  assert.deepEqual(
    layout.hierarchies.map(({ directory, controllers, name }) => [directory, controllers, name]),
    [
      ["cpu", ["cpu"], undefined],
      ["cpuacct", ["cpuacct"], undefined],
      ["memory", ["memory"], undefined],
      ["systemd", [], "systemd"],
    ],
  );
});

test("controllers that share a mount, and a second mount of the same, count once; net_cls does not count", () => {
  const joint = `33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
34 31 0:31 / /sys/fs/cgroup/net_cls,net_prio rw - cgroup cgroup rw,net_cls,net_prio
90 31 0:30 / /srv/chroot/sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct`;
  const layout = detectCgroups({ ...none, mountinfo: joint });
  assert.equal(layout.mode, "v1");
  assert.deepEqual(
    layout.hierarchies.map(({ mountPoint }) => mountPoint),
    ["/sys/fs/cgroup/cpu,cpuacct"],
  );
  const all = detectCgroups({ ...none, mountinfo: joint }, { rare: true }).hierarchies;
  assert.deepEqual(
    all.map(({ controllers }) => controllers),
    [
      ["cpu", "cpuacct"],
      ["net_cls", "net_prio"],
    ],
  );
});

test("the usual machine with systemd is v2", () => {
  const layout = detectCgroups({
    mountinfo: "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n",
    selfCgroup: "0::/user.slice/user-1000.slice/session-2.scope\n",
    v2Controllers: "cpuset cpu io memory hugetlb pids rdma misc\n",
  });
  assert.deepEqual(layout, {
    version: "v2",
    mode: "v2",
    own: "/user.slice/user-1000.slice/session-2.scope",
    hierarchies: [
      {
        type: "cgroup2",
        mountPoint: "/sys/fs/cgroup",
        directory: "",
        controllers: ["cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma", "misc"],
        readOnly: false,
      },
    ],
  });
});

test("read-only mounts and mount points with spaces are understood", () => {
  const layout = detectCgroups({
    ...none,
    mountinfo: "30 23 0:26 / /my\\040cgroups ro - cgroup2 cgroup rw\n",
    selfCgroup: "0::/../outside\n",
  });
  assert.equal(layout.hierarchies[0]?.mountPoint, "/my cgroups");
  assert.equal(layout.hierarchies[0]?.readOnly, true);
  assert.equal(layout.own, "/");
});

test("a v2 hierarchy from outside our cgroup namespace is none of ours where it delegates to namespaces", () => {
  const mountinfo = (options: string) => `30 23 0:26 /.. /sys/fs/cgroup rw - cgroup2 cgroup2 ${options}\n`;
  const selfCgroup = "0::/\n";
  assert.equal(detectCgroups({ ...none, selfCgroup, mountinfo: mountinfo("rw,nsdelegate") }).mode, "none");
  assert.equal(detectCgroups({ ...none, selfCgroup, mountinfo: mountinfo("rw") }).mode, "v2");
});

test("a machine without cgroups is told apart", () => {
  assert.equal(detectCgroups(none).mode, "none");
});
