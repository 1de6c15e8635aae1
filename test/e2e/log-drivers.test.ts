import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { world } from "../support/netns.ts";
import { eventually } from "../support/process.ts";
import { patience, requires, requiresRoot } from "../support/requires.ts";

const net = world();
const { machine } = net;

/**
 * Takes datagrams at a Unix socket, or a UDP port, and appends them to a file, each with its length in front. Told to end, it
 * takes no more and first writes down what it has taken.
 */
const receiver = `
import os, signal, socket, sys
where, into = sys.argv[1:]
if where.startswith("/"):
    if os.path.exists(where): os.unlink(where)
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(where)
else:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", int(where)))
print("ready", flush=True)
ending = False
def end(*_):
    global ending
    ending = True
    s.shutdown(socket.SHUT_RD)
if where.startswith("/"): signal.signal(signal.SIGTERM, end)
with open(into, "ab", 0) as f:
    while True:
        d = s.recv(1 << 20)
        if ending and not d: break
        f.write(b"%d\\n" % len(d) + d)
`;

/** What one receiver has taken. */
class Taken {
  readonly #file: string;
  readonly #where: string;
  #child: ReturnType<typeof spawn> | undefined;

  constructor(where: string, name: string) {
    this.#where = where;
    this.#file = join(machine.directory, name);
  }

  async start(): Promise<void> {
    const script = join(machine.directory, "receiver.py");
    writeFileSync(script, receiver);
    const [file = "", ...args] = [...machine.namespace.enter, "python3", script, this.#where, this.#file];
    const child = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"] });
    this.#child = child;
    await once(child.stdout, "data");
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    this.goOn();
    await once(child, "exit");
  }

  /** It takes nothing more, and does not end: its queue fills. */
  pause(): void {
    this.#child?.kill("SIGSTOP");
  }

  goOn(): void {
    this.#child?.kill("SIGCONT");
  }

  get messages(): Buffer[] {
    const bytes = existsSync(this.#file) ? readFileSync(this.#file) : Buffer.alloc(0);
    const messages: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
      const end = bytes.indexOf("\n", at);
      const length = Number(bytes.subarray(at, end).toString());
      messages.push(bytes.subarray(end + 1, end + 1 + length));
      at = end + 1 + length;
    }
    return messages;
  }

  /** The journal's entries of a container, as fields. */
  entries(name: string): Record<string, string>[] {
    return this.messages.map(fieldsOf).filter(({ CONTAINER_NAME }) => CONTAINER_NAME === name);
  }
}

/** Reads the native protocol: NAME=value, or NAME, eight bytes of length, the value. */
function fieldsOf(entry: Buffer): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let at = 0; at < entry.length; ) {
    const end = entry.indexOf(10, at);
    const line = entry.subarray(at, end).toString();
    const equals = line.indexOf("=");
    if (equals >= 0) {
      fields[line.slice(0, equals)] = line.slice(equals + 1);
      at = end + 1;
    } else {
      const length = Number(entry.readBigUInt64LE(end + 1));
      fields[line] = entry.subarray(end + 9, end + 9 + length).toString();
      at = end + 10 + length;
    }
  }
  return fields;
}

const runnable =
  machine.engine === "dockerd"
    ? { skip: "a journal of dockerd's machine is out of reach" }
    : { ...requires("docker", "python3", "cc", "ip"), ...requiresRoot() };

suite("log drivers that send lines elsewhere", runnable, () => {
  const journal = new Taken("/run/systemd/journal/socket", "journal");
  const syslog = new Taken("/dev/shm/sampan-test-log", "syslog");
  const udp = new Taken("5514", "udp");

  before(async () => {
    // A /run and /dev/shm of the machine's own: the real ones may be somebody's.
    const mounts = "mount -t tmpfs tmpfs /run; mkdir -p /run/systemd/journal; mount -t tmpfs tmpfs /dev/shm";
    await machine.namespace.ok("sh", "-ec", mounts);
    for (const taken of [journal, syslog, udp]) await taken.start();
  });
  after(async () => {
    for (const taken of [journal, syslog, udp]) await taken.stop();
  });

  const messagesOf = (name: string) => journal.entries(name).map(({ MESSAGE }) => MESSAGE);

  test("journald: a line is an entry, with the fields that dockerd writes", async () => {
    const options = ["--log-driver", "journald", "--log-opt", "labels=who", "--log-opt", "tag={{.Name}}/x"];
    const script = "echo out; echo err >&2; printf unfinished";
    await net.ok("run", "--rm", "--name", "one", "-l", "who=me", ...options, "probe", "sh", "-c", script);
    // All were sent before --rm; whoever takes them may be a moment behind.
    await eventually("all is taken", () => journal.entries("one").length >= 3);
    const entries = journal.entries("one");
    assert.deepEqual(entries.map(({ MESSAGE }) => MESSAGE).toSorted(), ["err", "out", "unfinished"]);
    const [out = {}] = entries.filter(({ MESSAGE }) => MESSAGE === "out");
    assert.match(out.CONTAINER_ID ?? "", /^[0-9a-f]{12}$/);
    assert.match(out.CONTAINER_ID_FULL ?? "", /^[0-9a-f]{64}$/);
    assert.match(out.SYSLOG_TIMESTAMP ?? "", /^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{9}Z$/);
    const { CONTAINER_TAG, SYSLOG_IDENTIFIER, IMAGE_NAME, PRIORITY, WHO } = out;
    assert.deepEqual(
      { CONTAINER_TAG, SYSLOG_IDENTIFIER, IMAGE_NAME, PRIORITY, WHO },
      { CONTAINER_TAG: "one/x", SYSLOG_IDENTIFIER: "one/x", IMAGE_NAME: "probe", PRIORITY: "6", WHO: "me" },
    );
    assert.equal(entries.find(({ MESSAGE }) => MESSAGE === "err")?.PRIORITY, "3");
    assert.equal(entries.find(({ MESSAGE }) => MESSAGE === "unfinished")?.CONTAINER_PARTIAL_MESSAGE, "true");
    const said = readFileSync(join(machine.directory, "daemon.log"), "utf8");
    assert.doesNotMatch(said, /wait in its log/, "the first try is taken, too");
  });

  test("journald: logs reads them here, too; long lines come in pieces", async () => {
    const script = "head -c 40000 /dev/zero | tr '\\\\0' x; echo; echo end";
    await net.ok("run", "--name", "long", "--log-driver", "journald", "probe", "sh", "-c", script);
    await eventually("all is sent", () => messagesOf("long").includes("end"));
    const pieces = messagesOf("long").map((text = "") => text.length);
    assert.deepEqual(pieces, [16384, 16384, 40000 - 2 * 16384, 3]);
    assert.match(await net.ok("logs", "--tail", "1", "long"), /^end$/);
    await net.ok("rm", "long");
  });

  test("nothing is lost while the daemon is dead, or the journal is away", { timeout: 60_000 * patience }, async () => {
    const count = "i=0; while [ $i -lt 60 ]; do echo line $i; i=$((i+1)); sleep 0.05; done";
    await net.ok("run", "-d", "--name", "counts", "--log-driver", "journald", "probe", "sh", "-c", count);
    await eventually("some lines are sent", () => messagesOf("counts").length > 3);
    const written = async () => Number((await net.ok("logs", "--tail", "1", "counts")).replace("line ", ""));
    await machine.kill();
    await new Promise((resolve) => setTimeout(resolve, 500));
    await machine.start();
    await journal.stop();
    const until = Math.min(59, (await written()) + 5);
    await eventually("more is written", async () => (await written()) >= until);
    await journal.start();
    await eventually("the last is sent", () => messagesOf("counts").includes("line 59"), 20_000);
    const wanted = Array.from({ length: 60 }, (_, number) => `line ${number}`);
    assert.deepEqual([...new Set(messagesOf("counts"))], wanted, "all, in their order");
    await net.ok("rm", "-f", "counts");
  });

  test("a receiver that hangs holds up neither the next life, nor the daemon's end, nor the removal", async () => {
    const count = ["sh", "-c", "i=0; while [ $i -lt 1500 ]; do echo line $i; i=$((i+1)); done"];
    journal.pause();
    await net.ok("run", "--name", "stuck", "--log-driver", "journald", "probe", ...count);
    await net.ok("start", "-a", "stuck");
    await net.ok("run", "--name", "unheard", "--log-driver", "journald", "probe", ...count);
    await net.ok("start", "-a", "unheard");
    await net.ok("rm", "unheard");
    await machine.stop();
    await machine.start();
    journal.goOn();
    const lines = () => messagesOf("stuck");
    await eventually("both lives are sent", () => lines().filter((line) => line === "line 1499").length > 1, 20_000);
    assert.deepEqual(new Set(lines()), new Set(Array.from({ length: 1500 }, (_, number) => `line ${number}`)));
    await net.ok("rm", "stuck");
  });

  test("syslog: to a Unix socket and to a UDP port, in every format", async () => {
    const run = (address: string, ...options: string[]) =>
      machine.sampan(
        ...["run", "--rm", "--name", "told", "--log-driver", "syslog", "--log-opt", `syslog-address=${address}`],
        ...["--log-opt", "tag=me", ...options, "probe", "echo", "said"],
      );
    await run("unixgram:///dev/shm/sampan-test-log");
    await run("udp://127.0.0.1:5514", "--log-opt", "syslog-format=rfc5424", "--log-opt", "syslog-facility=local3");
    await run("udp://127.0.0.1:5514", "--log-opt", "syslog-format=rfc3164");
    await eventually("they are there", () => syslog.messages.length > 0 && udp.messages.length > 1);
    assert.match(String(syslog.messages[0]), /^<30>[A-Z][a-z]{2} [ \d]\d [\d:]{8} me\[\d+\]: said$/);
    assert.match(String(udp.messages[0]), /^<158>1 \d{4}-\d\d-\d\dT[\d:]{8}Z \S+ me \d+ me - said$/);
    assert.match(String(udp.messages[1]), /^<30>[A-Z][a-z]{2} [ \d]\d [\d:]{8} \S+ me\[\d+\]: said$/);
  });

  test("refused: what no driver does", async () => {
    const refused = (why: RegExp, ...options: string[]) =>
      net.fails(why, "run", "--rm", ...options.flatMap((option) => ["--log-opt", option]), "probe", "true");
    const driver = (name: string, why: RegExp, ...options: string[]) =>
      net.fails(why, "create", "--log-driver", name, ...options.flatMap((one) => ["--log-opt", one]), "probe");
    await refused(/unknown log opt 'nosuch'/, "nosuch=1");
    await driver("journald", /unknown log opt 'max-size'/, "max-size=1m");
    await driver("syslog", /invalid syslog facility/, "syslog-facility=nosuch");
    await driver("syslog", /Invalid syslog format: nosuch/, "syslog-format=nosuch");
    await driver("syslog", /unsupported transport: 'gopher'/, "syslog-address=gopher://x");
    await driver("syslog", /lines are sent as datagrams/, "syslog-address=tcp://127.0.0.1:514");
    await driver("gelf", /plugin "gelf" not found/);
  });
});
