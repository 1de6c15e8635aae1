import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { Journal, requiresJournald } from "../support/journal.ts";
import { world } from "../support/netns.ts";
import { eventually } from "../support/process.ts";
import { requires, requiresRoot } from "../support/requires.ts";

const net = world();
const { machine } = net;

const runnable =
  machine.engine === "dockerd"
    ? { skip: "a journal of dockerd's machine is out of reach" }
    : { ...requires("docker", "cc", "ip", "python3"), ...requiresRoot(), ...requiresJournald() };

suite("the log driver journald, and systemd-journald", runnable, () => {
  let journal: Journal;

  before(async () => {
    journal = new Journal(machine.namespace);
    await journal.prepare();
    await journal.start();
  });
  after(() => journal.stop());

  const messagesOf = async (name: string) =>
    (await journal.entries(`CONTAINER_NAME=${name}`)).map(({ MESSAGE }) => String(MESSAGE));

  test("a line is an entry, found by container, image and tag; logs shows the same", async () => {
    const script = "echo out; echo err >&2; printf unfinished";
    const options = [
      "--log-driver",
      "journald",
      "--log-opt",
      "tag={{.Name}}/x",
      "--log-opt",
      "labels=who",
      "-l",
      "who=me",
    ];
    const id = await net.ok("run", "-d", "--name", "one", ...options, "probe", "sh", "-c", script);
    await eventually("all is taken", async () => (await messagesOf("one")).length === 3);
    for (const match of [
      `CONTAINER_ID=${id.slice(0, 12)}`,
      `CONTAINER_ID_FULL=${id}`,
      "SYSLOG_IDENTIFIER=one/x",
      "WHO=me",
    ]) {
      const found = await journal.entries(match, "IMAGE_NAME=probe");
      assert.deepEqual(found.map(({ MESSAGE }) => MESSAGE).toSorted(), ["err", "out", "unfinished"], match);
    }
    const errors = await journal.entries("CONTAINER_NAME=one", "PRIORITY=3");
    assert.deepEqual(
      errors.map(({ MESSAGE, _TRANSPORT }) => [MESSAGE, _TRANSPORT]),
      [["err", "journal"]],
    );
    assert.equal((await journal.entries("CONTAINER_NAME=one", "CONTAINER_PARTIAL_MESSAGE=true")).length, 1);
    const { stdout, stderr } = await net.docker(["logs", "one"]);
    assert.deepEqual([stdout, stderr], ["out\nunfinished", "err\n"]);
    await net.ok("rm", "one");
  });

  test("bytes that are no text, and long lines, come as they are", async () => {
    const script = "printf 'a\\000b\\377\\n'; head -c 40000 /dev/zero | tr '\\000' x; echo; echo end";
    await net.ok("run", "--name", "bytes", "--log-driver", "journald", "probe", "sh", "-c", script);
    await eventually("all is taken", async () => (await messagesOf("bytes")).includes("end"));
    const [first, ...pieces] = await journal.entries("CONTAINER_NAME=bytes");
    assert.deepEqual(first?.MESSAGE, [97, 0, 98, 255]);
    assert.deepEqual(
      pieces.map(({ MESSAGE = "" }) => MESSAGE.length),
      [16384, 16384, 40000 - 2 * 16384, 3],
    );
    await net.ok("rm", "bytes");
  });

  test("5,000 lines arrive, each once and in order, also when the journal is started again in the middle", async () => {
    const count = 5000;
    const script = `i=0; while [ $i -lt ${count} ]; do echo line $i; i=$((i+1)); [ $((i%100)) != 0 ] || sleep 0.02; done`;
    await net.ok("run", "-d", "--name", "counts", "--log-driver", "journald", "probe", "sh", "-c", script);
    await eventually("some are taken", async () => (await messagesOf("counts")).length > 300);
    await journal.restart();
    const last = `line ${count - 1}`;
    await eventually("the last is taken", async () => (await messagesOf("counts")).includes(last), 60_000);
    const wanted = Array.from({ length: count }, (_, number) => `line ${number}`);
    assert.equal(await net.ok("logs", "counts"), wanted.join("\n"));
    assert.deepEqual(await messagesOf("counts"), wanted);
    await net.ok("rm", "-f", "counts");
  });
});
