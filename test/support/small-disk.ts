import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { after, before } from "node:test";
import { busybox, type TestImage } from "./images.ts";
import { eventually } from "./process.ts";
import { type Sandbox, sampan } from "./sandbox.ts";

export const megabyte = 1 << 20;

/** The root directory of a daemon on a disk that is soon full. */
export class SmallDisk {
  readonly #box: Sandbox;
  #image: TestImage | undefined;
  #daemon: ChildProcess | undefined;

  constructor(box: Sandbox) {
    this.#box = box;
  }

  /** The daemon's view of its root, a tmpfs in a mount namespace of its own. */
  get root(): string {
    return `/proc/${this.#box.pid}/root${this.#box.layout.root}`;
  }

  /** What is there under the name "small". */
  get image(): TestImage {
    assert.ok(this.#image);
    return this.#image;
  }

  /** Megabytes. */
  free(): number {
    const { bavail, bsize } = statfsSync(this.root);
    return (bavail * bsize) / megabyte;
  }

  async open(): Promise<void> {
    const { layout, directory, env } = this.#box;
    mkdirSync(layout.root, { recursive: true });
    const script = 'mount -t tmpfs -o size=48m,mode=711 small "$1" && shift && exec "$@"';
    const args = ["-m", "--propagation", "private", "sh", "-c", script, "sh", layout.root, sampan, "daemon"];
    const log = openSync(join(directory, "daemon.log"), "a");
    this.#daemon = spawn("unshare", args, { env, cwd: "/", stdio: ["ignore", log, log] });
    closeSync(log);
    await eventually("the daemon answers", () => this.#box.ping());
    this.#image = await busybox();
    await this.#box.load(this.#image, "small");
  }

  async close(): Promise<void> {
    await this.#box.clear();
    await this.#box.ok("rmi", "-f", "small");
    const ended = this.#daemon && once(this.#daemon, "exit");
    await this.#box.stop();
    assert.deepEqual(await ended, [0, null]);
  }
}

/** A disk of 48 MB for all tests of a suite. */
export function smallDisk(box: Sandbox): SmallDisk {
  const disk = new SmallDisk(box);
  before(() => disk.open());
  after(() => disk.close());
  return disk;
}
