import assert from "node:assert/strict";
import { test } from "node:test";
import { diskQuota, projectIn, readDiskQuota, withProject } from "./structures.ts";
import { enforcesProjects } from "./support.ts";

const mountinfo = `22 1 259:2 / / rw,relatime shared:1 - ext4 /dev/root rw,usrquota
36 22 8:17 / /data rw,noatime shared:2 master:1 - xfs /dev/sdb1 rw,attr2,inode64,prjquota
37 22 8:33 / /accounting rw - xfs /dev/sdc1 rw,pqnoenforce
38 22 0:40 / /prjquota rw - tmpfs prjquota rw,size=1024k
39 22 259:65537 / /far rw - ext4 /dev/nvme0n1p2 rw,prjquota
`;

test("project quotas are there where the mount's options say that they are enforced", () => {
  const device = (major: number, minor: number) => (minor % 256) + major * 256 + Math.floor(minor / 256) * 2 ** 20;
  assert.ok(enforcesProjects(mountinfo, device(8, 17)));
  assert.ok(enforcesProjects(mountinfo, device(259, 65537)));
  for (const [major, minor] of [
    [259, 2],
    [8, 33],
    [0, 40],
    [8, 1],
  ] as const) {
    assert.ok(!enforcesProjects(mountinfo, device(major, minor)), `${major}:${minor}`);
  }
});

test("a directory's other attributes stay when it becomes part of a project", () => {
  const before = Buffer.alloc(32);
  before.writeUInt32LE(0x80000040, 0);
  before.writeUInt32LE(65536, 4);
  const after = withProject(before, 0x7000_0001);
  assert.equal(after.length, 28);
  assert.equal(after.readUInt32LE(0), 0x80000240);
  assert.equal(after.readUInt32LE(4), 65536);
  assert.equal(projectIn(after), 0x7000_0001);
  assert.equal(projectIn(before), 0);
});

test("a limit is in blocks of 512 bytes, and never becomes none for being small", () => {
  for (const [limit, kept] of [
    [0, 0],
    [1, 512],
    [512, 512],
    [10 * 2 ** 30, 10 * 2 ** 30],
  ] as const) {
    const quota = diskQuota(7, limit);
    assert.equal(quota.length, 112);
    assert.deepEqual(readDiskQuota(quota), { id: 7, limit: kept, bytes: 0, files: 0 });
  }
  assert.equal(diskQuota(7, 512).readUInt16LE(2), 8, "only the hard limit is set");
});
