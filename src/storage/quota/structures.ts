import { FS_XFLAG_PROJINHERIT } from "../../kernel/flags.ts";

/** sizeof(struct fsxattr): xflags, extsize, nextents, projid, cowextsize, eight bytes of padding (linux/fs.h). */
export const FSXATTR_SIZE = 28;
const XFLAGS = 0;
const PROJID = 12;

/** sizeof(struct fs_disk_quota) (linux/dqblk_xfs.h). */
export const DISK_QUOTA_SIZE = 112;
const FS_DQUOT_VERSION = 1;
const FS_PROJ_QUOTA = 2;
const FS_DQ_BHARD = 8;
/** Bytes in the unit that limits are given in. */
const BASIC_BLOCK = 512;

/** What is charged to a project, and what it may be charged. */
export interface ProjectQuota {
  readonly id: number;
  /** Bytes; 0 is no limit. */
  readonly limit: number;
  readonly bytes: number;
  readonly files: number;
}

/** The project that a struct fsxattr names; 0 is none. */
export function projectIn(fsxattr: Buffer): number {
  return fsxattr.readUInt32LE(PROJID);
}

/** The same attributes, with a project that everything made below belongs to. */
export function withProject(fsxattr: Buffer, project: number): Buffer {
  const changed = Buffer.from(fsxattr.subarray(0, FSXATTR_SIZE));
  changed.writeUInt32LE((changed.readUInt32LE(XFLAGS) | FS_XFLAG_PROJINHERIT) >>> 0, XFLAGS);
  changed.writeUInt32LE(project, PROJID);
  return changed;
}

/** A struct fs_disk_quota that sets the hard limit of a project; 0 takes it away. */
export function diskQuota(project: number, limit: number): Buffer {
  const quota = Buffer.alloc(DISK_QUOTA_SIZE);
  quota.writeInt8(FS_DQUOT_VERSION, 0);
  quota.writeInt8(FS_PROJ_QUOTA, 1);
  quota.writeUInt16LE(FS_DQ_BHARD, 2);
  quota.writeUInt32LE(project, 4);
  quota.writeBigUInt64LE(BigInt(Math.ceil(limit / BASIC_BLOCK)), 8);
  return quota;
}

/** Reads a struct fs_disk_quota. */
export function readDiskQuota(quota: Buffer): ProjectQuota {
  const units = (offset: number) => Number(quota.readBigUInt64LE(offset));
  return {
    id: quota.readUInt32LE(4),
    limit: units(8) * BASIC_BLOCK,
    bytes: units(40) * BASIC_BLOCK,
    files: units(48),
  };
}
