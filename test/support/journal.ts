import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Namespace } from "./namespace.ts";
import { eventually } from "./process.ts";
import { program, type Requirement } from "./requires.ts";

const journald = "/lib/systemd/systemd-journald";
const configuration = "[Journal]\nStorage=volatile\nReadKMsg=no\nAudit=no\nForwardToWall=no\nRateLimitIntervalSec=0\n";

/**
 * Holds journald's socket as systemd does, so that what is sent while it is started again waits there: says its process id,
 * and starts it again whenever it ends, until its own input ends.
 */
const holder = `
import os, select, socket, subprocess, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("/run/systemd/journal/socket")
os.dup2(s.fileno(), 3)
command = ["sh", "-c", "LISTEN_FDS=1 LISTEN_PID=$$ exec " + sys.argv[1]]
while True:
    child = subprocess.Popen(command, pass_fds=[3], stdin=subprocess.DEVNULL, stdout=sys.stderr)
    print(child.pid, flush=True)
    ended = os.pidfd_open(child.pid)
    if sys.stdin in select.select([sys.stdin, ended], [], [])[0]:
        child.kill()
        child.wait()
        break
    child.wait()
    os.close(ended)
`;

/** Skips where there is no systemd-journald. */
export function requiresJournald(): Requirement {
  const missing = [journald, program("journalctl") ?? "journalctl"].filter((path) => !existsSync(path));
  return missing.length === 0 ? {} : { skip: `needs ${missing.join(", ")} (.ci/run names the packages)` };
}

/** An entry as `journalctl -o json` shows it: text, or an array of bytes where a value is none. */
export type JournalEntry = Readonly<Record<string, string | number[]>>;

/**
 * systemd-journald, the real one, in a mount namespace whose /run is nobody else's: its socket is where every program looks for
 * it. It reads no kernel messages, and keeps all of its files in that /run.
 */
export class Journal {
  readonly #namespace: Namespace;
  #holder: ChildProcess | undefined;
  #pid = 0;

  constructor(namespace: Namespace) {
    this.#namespace = namespace;
  }

  /** Gives the namespace a /run of its own, and a machine's identity, without which journald does not start. */
  async prepare(): Promise<void> {
    const script = `mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/journal /run/systemd/journald.conf.d
printf %s '${configuration}' >/run/systemd/journald.conf.d/test.conf
printf '0123456789abcdef0123456789abcdef\\n' >/run/machine-id
[ -e /etc/machine-id ] || { echo "there is no /etc/machine-id" >&2; exit 1; }
mount --bind /run/machine-id /etc/machine-id`;
    await this.#namespace.ok("sh", "-ec", script);
  }

  async start(): Promise<void> {
    const [file = "", ...args] = [...this.#namespace.enter, "python3", "-c", holder, journald];
    const child = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#holder = child;
    createInterface({ input: child.stdout }).on("line", (line) => {
      this.#pid = Number(line);
    });
    await eventually("journald is started", () => this.#pid > 1);
  }

  /** Ends journald as `systemctl restart` does; it is started again. */
  async restart(): Promise<void> {
    const before = this.#pid;
    assert.ok(before > 1, "0 would be everybody in our process group");
    process.kill(before, "SIGTERM");
    await eventually("journald is started again", () => this.#pid !== before);
  }

  async stop(): Promise<void> {
    const child = this.#holder;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    child.stdin?.end();
    await exit;
  }

  /** The entries whose fields match, in their order: `journalctl MATCH…`. */
  async entries(...matches: string[]): Promise<JournalEntry[]> {
    const how = ["journalctl", "-D", "/run/log/journal", "-q", "-a", "-o", "json", ...matches];
    const { stdout } = await this.#namespace.run(how);
    return stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as JournalEntry);
  }
}
