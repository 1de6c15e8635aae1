import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before } from "node:test";
import { busybox } from "./images.ts";
import { Namespace } from "./namespace.ts";
import { runProgram } from "./process.ts";
import type { Sandbox } from "./sandbox.ts";

/** How a file system with project quotas is made in a file. */
const makers = {
  xfs: ["mkfs.xfs", "-q"],
  ext4: ["mkfs.ext4", "-q", "-O", "quota,project", "-E", "quotatype=prjquota"],
} as const;

export type QuotaFileSystem = keyof typeof makers;

/** Why this kernel enforces no project quotas; undefined when it does, on XFS and on ext4. */
export async function lackOfProjectQuotas(): Promise<string | undefined> {
  for (const module of ["xfs", "quota_v2", "loop"]) await runProgram("modprobe", ["-q", module]).catch(() => undefined);
  return existsSync("/proc/fs/xfs/xqm") ? undefined : "this kernel has no project quotas";
}

/** What the file system knows of a project that has a limit. */
interface LimitedProject {
  readonly id: number;
  readonly files: number;
  /** Kibibytes. */
  readonly limit: number;
}

/** The root directory of a daemon on a file system with project quotas, in a mount namespace of its own. */
export class QuotaDisk {
  readonly #box: Sandbox;
  readonly #type: QuotaFileSystem;
  #namespace: Namespace | undefined;

  constructor(box: Sandbox, type: QuotaFileSystem) {
    this.#box = box;
    this.#type = type;
  }

  async open(): Promise<void> {
    const { directory, layout } = this.#box;
    const [file, empty] = [join(directory, "disk"), join(directory, "empty")];
    for (const path of [layout.root, empty]) mkdirSync(path, { recursive: true });
    const setup = `truncate -s 400M ${file}; ${makers[this.#type].join(" ")} ${file}
mount -t ${this.#type} -o loop,prjquota ${file} ${layout.root}`;
    this.#namespace = await Namespace.make(`quota-${this.#type}`, empty, setup);
    this.#box.enter = this.#namespace.enter;
    await this.#box.start();
    await this.#box.load(await busybox(), "small");
  }

  async close(): Promise<void> {
    await this.#box.clear();
    await this.#box.stop();
    this.#box.enter = [];
    await this.#namespace?.close();
  }

  /** The projects with limits, as another program than ours sees them. */
  async projects(): Promise<LimitedProject[]> {
    const files = await this.#report("-i");
    return (await this.#report("-b")).flatMap(({ id, hard }) => {
      return hard > 0 ? [{ id, limit: hard, files: files.find((row) => row.id === id)?.used ?? 0 }] : [];
    });
  }

  /** Lines of "#ID used soft hard …". */
  async #report(what: string): Promise<{ id: number; used: number; hard: number }[]> {
    const script = ["-f", "-x", "-c", `report -p -n -N ${what}`, this.#box.layout.root];
    const said = (await this.#namespace?.ok("xfs_quota", ...script)) ?? "";
    return said.split("\n").flatMap((line) => {
      const [, id, used, hard] = /^#(\d+)\s+(\d+)\s+\d+\s+(\d+)/.exec(line) ?? [];
      return id === undefined ? [] : [{ id: Number(id), used: Number(used), hard: Number(hard) }];
    });
  }
}

/** A disk with project quotas for all tests of a suite. */
export function quotaDisk(box: Sandbox, type: QuotaFileSystem): QuotaDisk {
  const disk = new QuotaDisk(box, type);
  before(() => disk.open());
  after(() => disk.close());
  return disk;
}
