import assert from "node:assert/strict";
import {
  appendFileSync,
  existsSync,
  globSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { kindOf } from "../../errors/index.ts";
import { logLimits, validateLogConfig } from "./options.ts";
import { LogReader, type ReadLogOptions } from "./read.ts";
import { findStart } from "./start.ts";

const directory = mkdtempSync(join(tmpdir(), "sampan-logs-"));
after(() => rmSync(directory, { recursive: true }));

let files = 0;
const newLog = () => join(directory, `log${files++}`);
const second = 1_000_000_000n;

function record(stream: number, time: bigint, text: string): Buffer {
  const header = Buffer.alloc(16);
  header[0] = stream;
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  header.writeBigUInt64BE(time, 8);
  return Buffer.concat([header, Buffer.from(text)]);
}

const both = new Set([1, 2]);
const usual: ReadLogOptions = { tty: true, streams: both, timestamps: false, prefix: "" };

const all = (reader: LogReader) => Array.fromAsync(reader.chunks(), (chunk) => Buffer.from(chunk));

async function read(path: string, options: Partial<ReadLogOptions> = {}): Promise<Buffer> {
  return Buffer.concat(await all(new LogReader(path, { ...usual, ...options })));
}
const text = async (path: string, options: Partial<ReadLogOptions> = {}) => (await read(path, options)).toString();

function lines(from: number, to: number): Buffer {
  const all = Array.from({ length: to - from }, (_, i) => record(1, BigInt(from + i) * second, `line ${from + i}\n`));
  return Buffer.concat(all);
}

test("a log that is not there is empty", async () => {
  assert.equal(await text(newLog()), "");
});

test("records come out as Docker's frames, raw for a terminal, by stream", async () => {
  const path = newLog();
  writeFileSync(path, Buffer.concat([record(1, 1n, "out"), record(2, 2n, "error\n")]));
  assert.deepEqual(
    await read(path, { tty: false }),
    Buffer.from("\u0001\0\0\0\0\0\0\u0003out\u0002\0\0\0\0\0\0\u0006error\n", "latin1"),
  );
  assert.equal(await text(path), "outerror\n");
  assert.equal(await text(path, { streams: new Set([2]) }), "error\n");
});

test("the last lines are found in whatever blocks the log is read", async () => {
  const path = newLog();
  const payload = (i: number) => (i % 700 === 3 ? `${"long ".repeat(50_000)}${i}\n` : `${i}\n`.repeat(1 + (i % 3)));
  const texts = Array.from({ length: 6000 }, (_, i) => payload(i));
  writeFileSync(path, Buffer.concat(texts.map((each, i) => record(1 + (i % 2), BigInt(i) * second, each))));
  const all = texts.join("").split(/(?<=\n)/);
  for (const tail of [1, 2, 500, 700, 5000, 9001, all.length - 1, all.length, all.length + 1, 1e9]) {
    assert.equal(await text(path, { tail }), all.slice(-tail).join(""), `the last ${tail}`);
  }
});

test("a record that is still being written is left for later", async () => {
  const path = newLog();
  writeFileSync(path, Buffer.concat([record(1, 1n, "whole\n"), record(1, 1n, "torn\n").subarray(0, 18)]));
  assert.equal(await text(path), "whole\n");
});

test("every line gets its timestamp, also when it came in pieces", async () => {
  const path = newLog();
  const time = 1_700_000_000n * second + 5n;
  writeFileSync(path, Buffer.concat([record(1, time, "a\nb"), record(1, time + second, "c\n")]));
  assert.equal(
    await text(path, { timestamps: true, prefix: "k=v " }),
    "2023-11-14T22:13:20.000000005Z k=v a\n2023-11-14T22:13:20.000000005Z k=v bc\n",
  );
});

test("since and until", async () => {
  const path = newLog();
  writeFileSync(path, lines(0, 10));
  assert.equal(await text(path, { since: 8n * second }), "line 8\nline 9\n");
  assert.equal(await text(path, { until: 1n * second }), "line 0\nline 1\n");
});

test("the last lines, over rotated files", async () => {
  const path = newLog();
  writeFileSync(`${path}.2`, lines(0, 5));
  writeFileSync(`${path}.1`, lines(5, 10));
  writeFileSync(path, lines(10, 12));
  assert.equal((await text(path)).split("\n").length, 13);
  assert.equal(await text(path, { tail: 0 }), "");
  assert.equal(await text(path, { tail: 1 }), "line 11\n");
  assert.equal(await text(path, { tail: 2 }), "line 10\nline 11\n");
  assert.equal(await text(path, { tail: 3 }), "line 9\nline 10\nline 11\n");
  assert.equal((await text(path, { tail: 8 })).split("\n")[0], "line 4");
  assert.equal((await text(path, { tail: 100 })).split("\n").length, 13);
});

test("the last lines within one record, and an unfinished line", async () => {
  const path = newLog();
  writeFileSync(path, Buffer.concat([record(1, 1n, "a\nb\nc\n"), record(2, 1n, "x\n"), record(1, 1n, "d")]));
  assert.equal(await text(path, { tail: 2 }), "x\nd");
  assert.equal(await text(path, { tail: 3 }), "c\nx\nd");
  assert.equal(await text(path, { tail: 2, streams: new Set([1]) }), "d", "lines of the other stream count");
});

test("the end of a long log is found, whatever its text looks like", async () => {
  const path = newLog();
  const confusing = `\u0001\0\0\0\0\0\0\u0004${"x".repeat(40)}\n`;
  const records = Array.from({ length: 5000 }, (_, i) => record(1 + (i % 2), BigInt(i), `${i} ${confusing}`));
  writeFileSync(path, Buffer.concat(records));
  const tail = (await text(path, { tail: 1000 })).split("\n");
  assert.equal(tail.length, 1001);
  assert.match(tail[0] ?? "", /^4000 /);
});

test("following: growth, rotation, and what comes right before the end", { timeout: 10_000 }, async () => {
  const path = newLog();
  writeFileSync(path, lines(0, 2));
  const end = Promise.withResolvers<void>();
  const seen = text(path, { follow: end.promise });
  for (let i = 2; i < 40; i += 2) {
    await setTimeout(5);
    if (i % 10 === 0) {
      for (const number of [2, 1, 0]) {
        const from = number === 0 ? path : `${path}.${number}`;
        try {
          renameSync(from, `${path}.${number + 1}`);
        } catch {}
      }
    }
    appendFileSync(path, lines(i, i + 2));
  }
  end.resolve();
  const expected = Array.from({ length: 40 }, (_, i) => `line ${i}\n`).join("");
  assert.equal(await seen, expected);
});

test("limits of a log", () => {
  assert.equal(logLimits({ Type: "none", Config: {} }), undefined);
  assert.deepEqual(logLimits({ Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } }), {
    maxSize: 10 * 1024 * 1024,
    maxFiles: 3,
  });
  assert.equal(logLimits({ Type: "json-file", Config: { "max-size": "1k" } })?.maxFiles, 1);
  for (const Config of [{ "max-size": "x" }, { "max-file": "0" }]) {
    assert.throws(
      () => logLimits({ Type: "local", Config }),
      (error) => kindOf(error) === "invalid",
    );
  }
});

test("a log that nobody limited is five files of ten megabytes", () => {
  const limits = { maxSize: 10 * 1024 * 1024, maxFiles: 5 };
  for (const Type of ["json-file", "local"]) assert.deepEqual(logLimits({ Type, Config: {} }), limits);
});

test("options of log drivers", () => {
  const valid = {
    mode: "non-blocking",
    "max-buffer-size": "4m",
    labels: "a,b",
    "env-regex": "^X",
    tag: "{{.Name}}/{{ .ID }}",
  };
  validateLogConfig({ Type: "json-file", Config: valid });
  validateLogConfig({ Type: "none", Config: { whatever: "x" } });
  const refused: [string, Record<string, string>, string, RegExp][] = [
    ["json-file", { foo: "x" }, "invalid", /^unknown log opt 'foo' for json-file log driver$/],
    ["local", { foo: "x" }, "invalid", /^unknown log opt 'foo' for log driver local$/],
    ["local", { mode: "x" }, "invalid", /^logger: logging mode not supported: x$/],
    ["local", { "max-buffer-size": "1m" }, "invalid", /only supported with 'mode=non-blocking'$/],
    ["local", { mode: "non-blocking", "max-buffer-size": "x" }, "invalid", /max-buffer-size: invalid size: 'x'$/],
    ["local", { compress: "true" }, "unsupported", /compress/],
    ["local", { tag: "{{.Foo}}" }, "invalid", /there is no {{.Foo}}/],
    ["local", { "labels-regex": "(" }, "invalid", /labels-regex/],
    ["journald", { "max-size": "1m" }, "invalid", /^unknown log opt 'max-size' for journald log driver$/],
    ["syslog", { "syslog-facility": "x" }, "invalid", /^invalid syslog facility$/],
    ["syslog", { "syslog-format": "x" }, "invalid", /^Invalid syslog format: x$/],
    ["syslog", { "syslog-address": "tcp://a:1" }, "unsupported", /sent as datagrams/],
    ["syslog", { "syslog-address": "udp://a:b" }, "invalid", /no host and port/],
    ["gelf", {}, "invalid", /plugin "gelf" not found$/],
  ];
  for (const [Type, Config, kind, message] of refused) {
    assert.throws(
      () => validateLogConfig({ Type, Config }),
      (error: Error) => kindOf(error) === kind && message.test(error.message),
      `${Type} ${JSON.stringify(Config)}`,
    );
  }
});

test("since is found among rotated files and within one, without reading what is before", async () => {
  const path = newLog();
  const body = "y".repeat(1000);
  const start = 1_700_000_000n;
  const long = (from: number, to: number) =>
    Buffer.concat(
      Array.from({ length: to - from }, (_, i) =>
        record(1, (start + BigInt(from + i)) * second, `${from + i} ${body}\n`),
      ),
    );
  writeFileSync(`${path}.2`, long(0, 100));
  writeFileSync(`${path}.1`, long(100, 6000));
  writeFileSync(path, long(6000, 6010));
  for (const since of [0, 50, 99, 100, 101, 3000, 5999, 6000, 6009]) {
    const seen = await text(path, { since: (start + BigInt(since)) * second });
    assert.equal(seen.slice(0, seen.indexOf(" ")), String(since));
    assert.equal(seen.split("\n").length - 1, 6010 - since);
  }
  assert.equal(await text(path, { since: (start + 7000n) * second }), "");
  const found = await findStart(path, (start + 5000n) * second);
  assert.equal(found.file, 1);
  assert.ok(found.offset > 3_500_000, `${found.offset} is far from the middle of the file`);
});

test("following a log of one file, which is begun anew when it is full", { timeout: 10_000 }, async () => {
  const path = newLog();
  writeFileSync(path, lines(0, 3));
  const end = Promise.withResolvers<void>();
  const seen = text(path, { follow: end.promise });
  await setTimeout(50);
  appendFileSync(path, lines(3, 4));
  unlinkSync(path);
  writeFileSync(path, lines(4, 6));
  await setTimeout(50);
  end.resolve();
  assert.equal(await seen, "line 0\nline 1\nline 2\nline 3\nline 4\nline 5\n");
});

test("a log that is held is read to its end after its files have gone", async () => {
  const path = newLog();
  writeFileSync(path, lines(0, 10));
  const end = Promise.withResolvers<void>();
  const reader = new LogReader(path, { ...usual, follow: end.promise });
  await reader.opened;
  for (let from = 10; from < 40; from += 10) {
    for (const number of [1, 0]) {
      const name = number === 0 ? path : `${path}.${number}`;
      if (existsSync(name)) renameSync(name, `${path}.${number + 1}`);
    }
    writeFileSync(path, lines(from, from + 10));
  }
  await reader.hold();
  for (const name of globSync(`${path}*`)) unlinkSync(name);
  end.resolve();
  const wanted = Array.from({ length: 40 }, (_, i) => `line ${i}\n`).join("");
  assert.equal(Buffer.concat(await all(reader)).toString(), wanted);
});

test("a log that was not there yet is held once it is", async () => {
  const path = newLog();
  const end = Promise.withResolvers<void>();
  const reader = new LogReader(path, { ...usual, follow: end.promise });
  await reader.opened;
  writeFileSync(path, lines(0, 3));
  await reader.hold();
  unlinkSync(path);
  end.resolve();
  assert.equal(Buffer.concat(await all(reader)).toString(), "line 0\nline 1\nline 2\n");
});

test("a log that has been read is not opened again to be held", async () => {
  const path = newLog();
  writeFileSync(path, lines(0, 3));
  const reader = new LogReader(path, usual);
  await all(reader);
  await reader.hold();
  const open = readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return []; // the listing's own
    }
  });
  assert.ok(!open.includes(path));
});
