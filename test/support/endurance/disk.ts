import assert from "node:assert/strict";
import { closeSync, constants, mkdirSync, openSync, readdirSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_RDONLY } from "../../../src/kernel/flags.ts";
import { Program } from "../../../src/kernel/program.ts";
import { makeExecutor } from "../executor.ts";
import { cgroupsOf, processesOf } from "../leaks.ts";
import { Namespace } from "../namespace.ts";
import { eventually, succeed } from "../process.ts";
import type { Sandbox } from "../sandbox.ts";
import { killNow } from "../victims.ts";

/** ioctl_fs(2): ends a file system as a loss of power does. The flag: nothing more goes to the disk, not even the journal. */
const FS_IOC_SHUTDOWN = 0x8004587d;
const FS_SHUTDOWN_NOLOGFLUSH = 2;

/**
 * The root of a sandbox on an ext4 of its own, in a file, mounted in a namespace that only the sandbox's daemon is in. Its
 * power can be lost: what was not written to the disk until then is gone, as is everything that ran and the run directory.
 */
export class Disk {
  readonly #box: Sandbox;
  readonly #file: string;
  #machine: Namespace | undefined;

  constructor(box: Sandbox) {
    this.#box = box;
    this.#file = join(box.directory, "disk");
  }

  /** Leads to the root as its daemon sees it. */
  get prefix(): string {
    return `/proc/${this.#namespace.pid}/root`;
  }

  get #namespace(): Namespace {
    assert.ok(this.#machine, "the disk is there");
    return this.#machine;
  }

  async make(): Promise<void> {
    const { directory, layout } = this.#box;
    const scratch = join(directory, "scratch");
    for (const path of [scratch, layout.root, layout.run]) mkdirSync(path, { recursive: true });
    await succeed("truncate", ["-s", "1G", this.#file]);
    await succeed("mkfs.ext4", ["-qF", "-E", "lazy_itable_init=1,lazy_journal_init=1", this.#file]);
    this.#machine = await Namespace.make("the machine of a disk", scratch);
    this.#box.enter = this.#machine.enter;
  }

  /** `seconds`: how often the file system writes what it knows of names and sizes to its journal. */
  async mount(seconds: number): Promise<void> {
    await this.#namespace.ok("mount", "-o", `loop,commit=${seconds}`, this.#file, this.#box.layout.root);
  }

  /** All that was written so far survives. */
  async sync(): Promise<void> {
    await this.#namespace.ok("sync", "-f", this.#box.layout.root);
  }

  async losePower(): Promise<void> {
    const { pid } = this.#box;
    if (pid !== undefined) process.kill(pid, "SIGSTOP"); // it would see errors that no power loss shows to anybody
    await this.#shutDown();
    await this.#killAll();
    await this.unmount();
    const { run } = this.#box.layout;
    for (const name of readdirSync(run)) rmSync(join(run, name), { recursive: true });
  }

  async #shutDown(): Promise<void> {
    await using executor = makeExecutor(join(this.#box.directory, "executor.sock"));
    const p = new Program("end a file system");
    const path = p.text(`${this.prefix}${this.#box.layout.root}`);
    const root = p.sys("openat", [AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0], { note: "open it" });
    p.call("ioctl", [root, FS_IOC_SHUTDOWN, p.words([FS_SHUTDOWN_NOLOGFLUSH])], { note: "end it" });
    await executor.run(p);
  }

  async #killAll(): Promise<void> {
    await this.#box.stop("SIGKILL");
    await eventually("all processes are gone", () => {
      for (const path of cgroupsOf(this.#box.layout.suffix)) thaw(path);
      const left = processesOf(this.#box.layout).filter(({ pid }) => pid !== this.#namespace.pid);
      for (const { pid } of left) killNow(pid);
      return left.length === 0;
    });
  }

  async unmount(): Promise<void> {
    // Monitors that are leaving have their logs open.
    const unmount = () => this.#namespace.run(["umount", this.#box.layout.root]);
    await eventually("it is unmounted", async () => (await unmount()).status === 0);
    // Two mounts of one file would destroy it.
    await eventually("nothing uses it", async () => (await succeed("losetup", ["-j", this.#file])) === "");
  }

  async close(): Promise<void> {
    await this.#machine?.close();
  }
}

/** A frozen process of cgroup v1 does not even take SIGKILL. The last monitor may be removing the cgroup meanwhile. */
function thaw(cgroup: string): void {
  try {
    const state = openSync(join(cgroup, "freezer.state"), constants.O_WRONLY);
    writeSync(state, "THAWED");
    closeSync(state);
  } catch (error) {
    if (!["ENOENT", "ENODEV"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}
