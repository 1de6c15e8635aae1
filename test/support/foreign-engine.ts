import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { eventually, type Finished, type RunOptions, runProgram, succeed } from "./process.ts";

/**
 * Somebody else's engine, as its users run it, with an OCI runtime of our choice: in mount, network and PID namespaces that
 * end with this process, with /run of its own and every other file below one temporary directory. Its containers have no
 * network but loopback, and cgroups that carry the directory's name.
 */
export class ForeignEngine {
  readonly name: "podman" | "dockerd";
  readonly directory: string;
  readonly #keeper: ChildProcess;
  readonly #command: readonly string[];
  /** The name of the cgroups' parent. */
  readonly mark: string;

  private constructor(name: "podman" | "dockerd", directory: string, keeper: ChildProcess, command: readonly string[]) {
    this.name = name;
    this.directory = directory;
    this.#keeper = keeper;
    this.#command = command;
    this.mark = basename(directory);
  }

  /** Starts it, with containers by `runtime`, the path of a program. */
  static async open(name: "podman" | "dockerd", runtime: string): Promise<ForeignEngine> {
    const directory = mkdtempSync(join(tmpdir(), "sampan-foreign-"));
    const keeper = await keepNamespaces(directory);
    const command = name === "podman" ? preparePodman(directory, runtime) : [dockerCommand(directory)].flat();
    const engine = new ForeignEngine(name, directory, keeper, command);
    try {
      if (name === "dockerd") await engine.#startDocker(runtime);
      return engine;
    } catch (error) {
      process.stderr.write(engine.logs());
      await engine.close();
      throw error;
    }
  }

  async #startDocker(runtime: string): Promise<void> {
    const { directory, mark } = this;
    const files = ["--data-root", join(directory, "data"), "-H", `unix://${join(directory, "docker.sock")}`];
    const network = ["--bridge", "none", "--iptables=false", "--ip6tables=false"];
    const runtimes = ["--add-runtime", `tested=${runtime}`, "--default-runtime", "tested"];
    const dockerd = [
      "dockerd",
      ...files,
      ...network,
      ...runtimes,
      "--storage-driver",
      "vfs",
      "--cgroup-parent",
      `/${mark}`,
    ];
    const script = '"$@" </dev/null >"$LOG" 2>&1 &';
    await succeed("sh", ["-c", script, "sh", ...this.#enter, ...dockerd], {
      env: { ...process.env, LOG: join(directory, "log") },
    });
    await eventually("dockerd answers", async () => (await this.run(["version"])).status === 0, 60_000);
  }

  get #enter(): readonly string[] {
    const of = `/proc/${this.#keeper.pid}/ns`;
    return ["nsenter", `--mount=${of}/mnt`, `--net=${of}/net`, `--pid=${of}/pid_for_children`, "--"];
  }

  /** The engine's command line, to be run in a terminal. */
  command(args: readonly string[]): readonly string[] {
    const [first = "", ...rest] = args;
    const placed = this.name === "podman" && ["run", "create"].includes(first);
    return [...this.#enter, ...this.#command, first, ...(placed ? ["--cgroup-parent", `/${this.mark}`] : []), ...rest];
  }

  /** `docker ARGS…` or `podman ARGS…`. */
  run(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    const [file = "", ...rest] = this.command(args);
    return runProgram(file, rest, { cwd: this.directory, ...options });
  }

  /** As `run`, which has to end with status 0; its output without the last line's end. */
  async ok(...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.run(args);
    if (status === 0) return stdout.replace(/\n$/, "");
    throw new Error(`${this.name}: ${args.join(" ")} ended with ${status}:\n${stdout}${stderr}`);
  }

  /** The last lines that the daemon has said. */
  logs(): string {
    const log = join(this.directory, "log");
    return existsSync(log) ? `${readFileSync(log, "utf8").split("\n").slice(-20).join("\n")}\n` : "";
  }

  /** Ends everything in there. The answer is what the runtime should not have left: cgroups of containers. */
  async close(): Promise<string[]> {
    if (this.#keeper.exitCode === null && this.#keeper.signalCode === null) {
      const ended = once(this.#keeper, "exit");
      this.#keeper.stdin?.end();
      await ended;
    }
    const all = globSync(`/sys/fs/cgroup/{${this.mark},*/${this.mark}}{,/*,/*/*}/`);
    // podman's monitors are in one of their own, which is podman's to leave
    const left = all.filter((path) => !["conmon", this.mark].includes(basename(path)));
    for (const path of all.sort((a, b) => b.length - a.length)) if (left.length === 0) rmdirSync(path);
    rmSync(this.directory, { recursive: true });
    return left;
  }
}

/**
 * A process that the namespaces end with. Its standard input is ours. Where v1 and v2 are both mounted it sees v1 alone:
 * podman knows no such mixture.
 */
async function keepNamespaces(directory: string): Promise<ChildProcess> {
  const cgroups = join(directory, "cgroup");
  mkdirSync(cgroups);
  const script = `set -e
ip link set lo up
mount -t tmpfs -o mode=755 run /run
mount --rbind /sys/fs/cgroup ${cgroups}
mount -t sysfs sysfs /sys
if [ -d ${cgroups}/unified ]; then
  mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup
  for c in ${cgroups}/*; do
    n=\${c##*/}
    [ "$n" != unified ] && mountpoint -q "$c" || continue
    mkdir "/sys/fs/cgroup/$n"
    mount --bind "$c" "/sys/fs/cgroup/$n"
  done
  umount -l ${cgroups}
else
  mount --move ${cgroups} /sys/fs/cgroup
fi
exec tini -s -- sh -c 'echo ready; exec cat'`;
  const own = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"];
  const keeper = spawn("unshare", [...own, "sh", "-c", script, basename(directory)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [said] = await Promise.race([once(keeper.stdout, "data"), once(keeper, "exit").then(() => [""])]);
  if (String(said) !== "ready\n") throw new Error(`the namespaces of ${dirname(cgroups)} could not be made: ${said}`);
  return keeper;
}

function dockerCommand(directory: string): readonly string[] {
  return ["env", `DOCKER_CONFIG=${directory}/config`, "docker", "-H", `unix://${directory}/docker.sock`];
}

function preparePodman(directory: string, runtime: string): readonly string[] {
  const config = join(directory, "containers.conf");
  // No systemd runs in here, which by default keeps podman's events, logs and timers
  const lines = [
    "[containers]",
    'netns = "none"',
    'log_driver = "k8s-file"',
    "[engine]",
    'cgroup_manager = "cgroupfs"',
    'events_logger = "file"',
  ];
  writeFileSync(config, `${lines.join("\n")}\n`);
  const places = ["--root", join(directory, "storage"), "--runroot", "/run/podman", "--tmpdir", "/run/libpod"];
  const env = [`CONTAINERS_CONF=${config}`, "DISABLE_HC_SYSTEMD=true", `TMPDIR=${directory}`];
  return ["env", ...env, "podman", "--storage-driver", "vfs", ...places, "--runtime", runtime];
}
