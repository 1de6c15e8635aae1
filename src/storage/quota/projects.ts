import { createHash } from "node:crypto";
import { SampanError } from "../../errors/index.ts";
import { named, type Slot } from "../../kernel/block.ts";
import type { Executor, Session } from "../../kernel/executor.ts";
import * as f from "../../kernel/flags.ts";
import { Program } from "../../kernel/program.ts";
import {
  DISK_QUOTA_SIZE,
  diskQuota,
  FSXATTR_SIZE,
  type ProjectQuota,
  projectIn,
  readDiskQuota,
  withProject,
} from "./structures.ts";

/** Ids that one root gives out. */
const RANGE = 1 << 14;
/** Above what people number by hand, and what dockerd (from 1) and Kubernetes (from 1,048,576) take. */
const FIRST = 1 << 30;
/** Ids looked at by one program. */
const TRIED = 32;

const GETQUOTA = named(f.PROJECT_Q_XGETQUOTA, "QCMD(Q_XGETQUOTA, PRJQUOTA)");
const SETQLIM = named(f.PROJECT_Q_XSETQLIM, "QCMD(Q_XSETQLIM, PRJQUOTA)");
const GETNEXTQUOTA = named(f.PROJECT_Q_XGETNEXTQUOTA, "QCMD(Q_XGETNEXTQUOTA, PRJQUOTA)");
const DIRECTORY = named(
  f.O_RDONLY | f.O_DIRECTORY | f.O_NOFOLLOW | f.O_CLOEXEC,
  "O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC",
);

interface ProjectsOptions {
  readonly executor: Executor;
  /** A directory on the file system; what is limited lies below it. */
  readonly directory: string;
}

/**
 * Limits what directories may hold, by project quotas. Nothing is written down about them: a project is in use as long as the
 * file system counts files of it, so that nobody else's is taken, and none is lost whenever a daemon is killed. Ids are
 * looked for in a range of this root's own. See docs/decisions/layer-limits.md.
 */
export class ProjectQuotas {
  readonly #options: ProjectsOptions;
  readonly #from: number;
  #next = 0;
  #turn: Promise<void> | undefined;

  constructor(options: ProjectsOptions) {
    this.#options = options;
    this.#from = FIRST + createHash("sha256").update(options.directory).digest().readUInt16LE(0) * RANGE;
  }

  /** Makes empty directories one project that may hold so many bytes together, what lies below them included. */
  async limit(directories: readonly string[], bytes: number): Promise<void> {
    // One after the other: an id is taken once a directory has it.
    const before = this.#turn ?? this.#sweep();
    const done = before.catch(() => {}).then(() => this.#limit(directories, bytes));
    this.#turn = done;
    await done;
  }

  /** The project of a directory; undefined where there is none, or no directory. */
  async projectOf(directory: string): Promise<number | undefined> {
    const p = new Program(`read the project of ${directory}`);
    const missing = p.label();
    const fd = p.sys("openat", [f.AT_FDCWD, p.text(directory), DIRECTORY, 0], {
      note: "open the directory",
      tolerate: ["ENOENT"],
      orElse: missing,
    });
    const attributes = addReadAttributes(p, fd);
    p.place(missing);
    const results = await this.#options.executor.run(p);
    return projectIn(results.bytes(attributes)) || undefined;
  }

  /** Bytes that its files take. */
  async used(project: number): Promise<number> {
    return await this.#inSession(async (session, fd) => {
      const p = new Program("see what a project has");
      const quota = p.buffer(DISK_QUOTA_SIZE);
      p.call("quotactl_fd", [fd, GETQUOTA, project, quota], { note: "ask for its quota" });
      return readDiskQuota((await session.run(p)).bytes(quota)).bytes;
    });
  }

  /** Sets another limit; 0, none, for a project whose directories are gone. */
  async change(project: number, bytes: number): Promise<void> {
    await this.#inSession(async (session, fd) => setLimit(session, fd, project, bytes));
  }

  async #limit(directories: readonly string[], bytes: number): Promise<void> {
    await this.#inSession(async (session, fd) => {
      const project = await this.#freeProject(session, fd);
      const reading = new Program("read the attributes of a writable layer");
      const opened = directories.map((directory) => {
        const layer = reading.sys("openat", [f.AT_FDCWD, reading.text(directory), DIRECTORY, 0], {
          note: `open ${directory}`,
        });
        return { layer, attributes: addReadAttributes(reading, layer) };
      });
      const results = await session.run(reading);
      const writing = new Program("limit a writable layer");
      for (const { layer, attributes } of opened) {
        const changed = withProject(results.bytes(attributes), project);
        const args = [
          results.value(layer),
          named(f.FS_IOC_FSSETXATTR, "FS_IOC_FSSETXATTR"),
          writing.bytes(changed, `{ projid: ${project}, xflags: FS_XFLAG_PROJINHERIT }`),
        ];
        writing.call("ioctl", args, { note: "make it, and all that will be in it, part of a project" });
      }
      await session.run(writing);
      await setLimit(session, fd, project, bytes);
      this.#next = (project - this.#from + 1) % RANGE;
    });
  }

  /** One that no file on this file system belongs to. */
  async #freeProject(session: Session, fd: number): Promise<number> {
    for (let looked = 0; looked < RANGE; looked += TRIED) {
      const p = new Program("find a project that has no files");
      const tries = Array.from({ length: TRIED }, (_, index) => {
        const id = this.#from + ((this.#next + looked + index) % RANGE);
        const quota = p.buffer(DISK_QUOTA_SIZE);
        const done = p.sys("quotactl_fd", [fd, GETQUOTA, id, quota], {
          note: `see what project ${id} has`,
          tolerate: ["ENOENT"],
        });
        return { id, quota, done };
      });
      const results = await session.run(p);
      const free = tries.find(({ quota, done }) => {
        return results.value(done) < 0 || readDiskQuota(results.bytes(quota)).files === 0;
      });
      if (free !== undefined) return free.id;
    }
    throw new SampanError("exhausted", `Cannot limit a writable layer: ${RANGE} projects of this root have files`);
  }

  /** Takes the limits away that a daemon has left which was killed while it removed a container. */
  async #sweep(): Promise<void> {
    await this.#inSession(async (session, fd) => {
      const end = this.#from + RANGE;
      for (let from = this.#from; from < end; ) {
        const quota = await nextQuota(session, fd, from);
        if (quota === undefined || quota.id >= end) return;
        if (quota.files === 0 && quota.limit > 0) await setLimit(session, fd, quota.id, 0);
        from = quota.id + 1;
      }
    });
  }

  /** `fd`: of the directory, which says what file system is meant. */
  async #inSession<T>(work: (session: Session, fd: number) => Promise<T>): Promise<T> {
    const { executor, directory } = this.#options;
    const session = await executor.open();
    try {
      const p = new Program("set project quotas");
      const fd = p.sys("openat", [f.AT_FDCWD, p.text(directory), DIRECTORY, 0], { note: `open ${directory}` });
      return await work(session, (await session.run(p)).value(fd));
    } finally {
      session.close();
    }
  }
}

function addReadAttributes(p: Program, fd: Slot): ReturnType<Program["buffer"]> {
  const attributes = p.buffer(FSXATTR_SIZE, "<struct fsxattr>");
  p.call("ioctl", [fd, named(f.FS_IOC_FSGETXATTR, "FS_IOC_FSGETXATTR"), attributes], { note: "read its attributes" });
  return attributes;
}

async function setLimit(session: Session, fd: number, project: number, bytes: number): Promise<void> {
  const p = new Program("limit a project");
  const limit = p.bytes(diskQuota(project, bytes), `{ id: ${project}, hard limit: ${bytes} bytes }`);
  p.call("quotactl_fd", [fd, SETQLIM, project, limit], { note: "set what its files may take" });
  await session.run(p);
}

/** The first project from an id on that the file system knows. */
async function nextQuota(session: Session, fd: number, from: number): Promise<ProjectQuota | undefined> {
  const p = new Program("find limits that nobody needs");
  const quota = p.buffer(DISK_QUOTA_SIZE);
  const done = p.sys("quotactl_fd", [fd, GETNEXTQUOTA, from, quota], {
    note: `find the first project from ${from} on`,
    tolerate: ["ENOENT"],
  });
  const results = await session.run(p);
  return results.value(done) < 0 ? undefined : readDiskQuota(results.bytes(quota));
}
