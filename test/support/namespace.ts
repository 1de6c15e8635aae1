import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type Finished, type RunOptions, runProgram, succeed } from "./process.ts";

/**
 * A network namespace, with a mount namespace whose /sys shows it. It is kept by a process that reads from us: when this
 * process dies, however it does, the namespace goes, and every link in it.
 */
export class Namespace {
  readonly pid: number;
  readonly #keeper: ChildProcess | undefined;
  readonly #background: ChildProcess[] = [];
  readonly #mounts: boolean;

  private constructor(pid: number, mounts: boolean, keeper?: ChildProcess) {
    this.pid = pid;
    this.#mounts = mounts;
    this.#keeper = keeper;
  }

  /**
   * A new one with loopback up; `directory` is an empty one that it needs for a moment, `name` is seen in the process list,
   * and `setup` is a shell script that is run inside.
   */
  static async make(name: string, directory: string, setup = ""): Promise<Namespace> {
    const script = `set -e; ip link set lo up
mount --rbind /sys/fs/cgroup ${directory}; mount -t sysfs sysfs /sys; mount --move ${directory} /sys/fs/cgroup
${setup}
echo ready; exec cat`;
    const argv = ["--net", "--mount", "--propagation", "private", "sh", "-c", script, name];
    const keeper = spawn("unshare", argv, { stdio: ["pipe", "pipe", "inherit"] });
    const [said] = await Promise.race([once(keeper.stdout, "data"), once(keeper, "exit").then(() => [""])]);
    if (String(said) !== "ready\n" || keeper.pid === undefined) throw new Error(`${name} could not be made: ${said}`);
    return new Namespace(keeper.pid, true, keeper);
  }

  /** The network namespace of a process of somebody else's; files are the machine's. */
  static of(pid: number): Namespace {
    return new Namespace(pid, false);
  }

  /** What comes before a program and its arguments to run it in here, in the directory where it is started. */
  get enter(): string[] {
    const mounts = this.#mounts ? `--mount=/proc/${this.pid}/ns/mnt` : "";
    return ["sh", "-c", `exec nsenter --net=/proc/${this.pid}/ns/net ${mounts} --wdns="$PWD" -- "$@"`, "enter"];
  }

  run(argv: readonly string[], options: RunOptions = {}): Promise<Finished> {
    const [file = "", ...args] = [...this.enter, ...argv];
    return runProgram(file, args, options);
  }

  /** Runs it to its end, which has to be status 0; its output without the last line's end. */
  async ok(...argv: string[]): Promise<string> {
    const [file = "", ...args] = [...this.enter, ...argv];
    return (await succeed(file, args)).replace(/\n$/, "");
  }

  /** Starts a program that says something when it is ready, and ends with the namespace. */
  async background(...argv: string[]): Promise<ChildProcess> {
    const [file = "", ...args] = [...this.enter, ...argv];
    const child = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"] });
    this.#background.push(child);
    await once(child.stdout, "data");
    child.stdout.resume();
    return child;
  }

  /** Another end of a new veth pair is `theirs` in the other namespace. */
  async connect(mine: string, other: Namespace, theirs: string): Promise<void> {
    await this.ok("ip", "link", "add", mine, "type", "veth", "peer", "name", theirs, "netns", String(other.pid));
  }

  async close(): Promise<void> {
    for (const child of this.#background) await ended(child, () => child.kill("SIGKILL"));
    const keeper = this.#keeper;
    if (keeper !== undefined) await ended(keeper, () => keeper.stdin?.end());
  }
}

async function ended(child: ChildProcess, end: () => void): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  end();
  await exit;
}
