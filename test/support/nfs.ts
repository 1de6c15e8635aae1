import type { ChildProcess } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Namespace } from "./namespace.ts";
import { eventually, runProgram } from "./process.ts";

/** Why this kernel cannot be an NFS server and client; undefined when it can. */
export async function lackOfNfs(): Promise<string | undefined> {
  for (const module of ["nfsd", "nfsv4"]) await runProgram("modprobe", ["-q", module]).catch(() => undefined);
  const known = readFileSync("/proc/filesystems", "utf8").split(/\s+/);
  return ["nfsd", "nfs4"].every((name) => known.includes(name)) ? undefined : "this kernel has no NFS";
}

/**
 * The kernel's NFS server in a network namespace, with Debian's rpc.mountd, for NFS 4 only: it needs no port mapper. What
 * they keep on the disk is in a tmpfs of the namespace's own.
 */
export class NfsServer {
  readonly #namespace: Namespace;
  /** What is exported, as ":/". */
  readonly directory: string;
  #mountd: ChildProcess | undefined;

  constructor(namespace: Namespace, scratch: string) {
    this.#namespace = namespace;
    this.directory = join(scratch, "exported");
  }

  async start(): Promise<void> {
    mkdirSync(this.directory, { mode: 0o777 });
    const script = `mount -t tmpfs tmpfs /var/lib/nfs
mkdir /var/lib/nfs/v4recovery /var/lib/nfs/rpc_pipefs
touch /var/lib/nfs/etab /var/lib/nfs/rmtab
mount -t nfsd nfsd /proc/fs/nfsd
# Seconds that a new server waits for clients of its predecessor; the least that the kernel takes.
echo 10 >/proc/fs/nfsd/nfsv4leasetime
echo 10 >/proc/fs/nfsd/nfsv4gracetime
exportfs -i -o rw,fsid=0,no_root_squash,insecure,no_subtree_check '127.0.0.1:${this.directory}'`;
    await this.#namespace.ok("sh", "-ec", script);
    const mountd = ["sh", "-c", "echo started; exec rpc.mountd -F -N 3 --no-udp"];
    this.#mountd = await this.#namespace.background(...mountd);
    await this.serve();
  }

  /** Answers. */
  async serve(): Promise<void> {
    await this.#namespace.ok("rpc.nfsd", "-N", "3", "--no-udp", "-H", "127.0.0.1", "2");
  }

  /** Answers nobody: those who ask wait. */
  async fallSilent(): Promise<void> {
    await this.#namespace.ok("rpc.nfsd", "0");
  }

  async close(): Promise<void> {
    if (this.#mountd === undefined) return;
    await this.fallSilent();
    await this.#namespace.ok("sh", "-c", "exportfs -ua; umount /proc/fs/nfsd");
    const { pid } = this.#mountd;
    this.#mountd.kill();
    await eventually(
      "mountd ends",
      () => this.#mountd?.exitCode !== null || this.#mountd.signalCode !== null || pid === undefined,
    );
  }
}
