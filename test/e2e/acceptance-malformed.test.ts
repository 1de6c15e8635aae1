import assert from "node:assert/strict";
import { connect } from "node:net";
import { before, suite, test } from "node:test";
import { busybox } from "../support/images.ts";
import { requires, requiresRoot } from "../support/requires.ts";
import { type ApiAnswer, sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });
const version = "/v1.51";

/** Every route of ours that takes a body or a query; `stopped` is a container that was never started. */
const withBody = [
  "/containers/create",
  "/containers/create?name=x",
  "/containers/stopped/exec",
  "/exec/nosuch/start",
  "/sampan/explain",
  "/auth",
];
const withoutBody = [
  "POST /containers/stopped/start",
  "POST /containers/stopped/stop",
  "POST /containers/stopped/restart",
  "POST /containers/stopped/kill",
  "POST /containers/stopped/resize",
  "POST /containers/stopped/rename",
  "POST /containers/stopped/attach",
  "POST /containers/nosuch/wait",
  "POST /images/create",
  "POST /images/nosuch/tag",
  "POST /images/prune",
  "POST /exec/nosuch/resize",
  "GET /containers/json",
  "GET /containers/stopped/json",
  "GET /containers/stopped/logs",
  "GET /images/json",
  "GET /images/nosuch/json",
  "GET /images/nosuch/history",
  "GET /exec/nosuch/json",
  "GET /networks",
  "GET /volumes",
  "DELETE /containers/nosuch",
  "DELETE /images/nosuch",
];
const malformed: [what: string, body: string | Buffer][] = [
  ["half an object", '{"Image":"busybox",'],
  ["no JSON", "hello"],
  ["bytes", Buffer.from([0, 1, 2, 0xff, 0xfe])],
  ["a number", "1"],
  ["a text", '"busybox"'],
  ["a list", "[]"],
  ["null", "null"],
  ["true", "true"],
  ["a hundred thousand brackets", "[".repeat(100_000)],
  ["a hundred thousand objects", `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`],
  ["nothing", ""],
  ["an empty object", "{}"],
  ["a prototype", '{"__proto__":{"Image":"busybox"},"constructor":1}'],
  ["a body of two", '{"Image":"busybox"}{"Image":"busybox"}'],
];
const wrongTypes: Record<string, unknown>[] = [
  { Image: 1 },
  { Image: "busybox", Cmd: 7 },
  { Image: "busybox", Cmd: [7] },
  { Image: "busybox", Env: "A=b" },
  { Image: "busybox", Env: [{}] },
  { Image: "busybox", Labels: ["a"] },
  { Image: "busybox", Tty: "yes" },
  { Image: "busybox", HostConfig: [] },
  { Image: "busybox", HostConfig: { Memory: "64m" } },
  { Image: "busybox", HostConfig: { Memory: 1.5 } },
  { Image: "busybox", HostConfig: { Memory: 1e300 } },
  { Image: "busybox", HostConfig: { Memory: -5 } },
  { Image: "busybox", HostConfig: { NanoCpus: -1 } },
  { Image: "busybox", HostConfig: { CpuShares: -1 } },
  { Image: "busybox", HostConfig: { CpusetCpus: "zero" } },
  { Image: "busybox", HostConfig: { BlkioWeight: 5 } },
  { Image: "busybox", HostConfig: { OomScoreAdj: 5000 } },
  { Image: "busybox", HostConfig: { ShmSize: -1 } },
  { Image: "busybox", HostConfig: { Binds: ["relative:target"] } },
  { Image: "busybox", HostConfig: { Binds: [""] } },
  { Image: "busybox", HostConfig: { Binds: ["/a:/b:/c:/d"] } },
  { Image: "busybox", HostConfig: { Mounts: [{}] } },
  { Image: "busybox", HostConfig: { Mounts: [{ Type: "bind", Source: "/nosuch-at-all", Target: "/x" }] } },
  { Image: "busybox", HostConfig: { Tmpfs: { relative: "" } } },
  { Image: "busybox", HostConfig: { CapAdd: ["NOSUCH"] } },
  { Image: "busybox", HostConfig: { Ulimits: [{ Name: "nosuch", Soft: 1, Hard: 1 }] } },
  { Image: "busybox", HostConfig: { Ulimits: [{ Name: "nofile", Soft: 2, Hard: 1 }] } },
  { Image: "busybox", HostConfig: { SecurityOpt: ["seccomp={"] } },
  { Image: "busybox", HostConfig: { SecurityOpt: ['seccomp={"defaultAction":"NOSUCH"}'] } },
  { Image: "busybox", HostConfig: { Devices: [{ PathOnHost: "/dev/nosuch", PathInContainer: "/dev/x" }] } },
  { Image: "busybox", HostConfig: { CgroupParent: "../../x" } },
  { Image: "busybox", HostConfig: { Sysctls: { "kernel.panic": "1" } } },
  { Image: "busybox", HostConfig: { RestartPolicy: { Name: "sometimes" } } },
  { Image: "busybox", HostConfig: { LogConfig: { Type: "nosuch" } } },
  { Image: "busybox", HostConfig: { NetworkMode: "nosuch" } },
  { Image: "busybox", HostConfig: { PidMode: "nosuch" } },
  { Image: "busybox", HostConfig: { ExtraHosts: ["nocolon"] } },
  { Image: "busybox", StopSignal: "NOSUCH" },
  { Image: "busybox", WorkingDir: "relative" },
  { Image: "busybox", Env: ["=x"] },
  { Image: "busybox\0", Cmd: ["true"] },
  { Image: "busybox", Cmd: ["a\0b"] },
  { Image: "busybox", Env: ["A=\0"] },
  { Image: "busybox", WorkingDir: "/a\0b" },
  { Image: "busybox", Hostname: "h\0h" },
  { Image: "busybox", Hostname: "h".repeat(300) },
];
const queries = [
  "all=maybe",
  "limit=x",
  "filters={",
  "filters=[]",
  "filters=%7B%22nosuch%22%3A%5B%22x%22%5D%7D",
  "filters=1",
  "since=yesterday&stdout=1",
  "tail=x&stdout=1",
  "signal=NOSUCH",
  "signal=-5",
  "h=x&w=y",
  "h=-1&w=99999999999",
  "t=x",
  "condition=never",
  "platform=%7B",
  "fromImage=%00",
  "fromImage=..%2F..",
  "name=..%2Fx",
  "repo=UPPER&tag=-",
  "%",
  "a=%ff%fe",
];

/** A refusal is an answer of the client's errors with a message, and a daemon that goes on. */
function assertRefused({ status, json, text }: ApiAnswer, what: string): void {
  assert.ok(status >= 400 && status < 500, `${what}: ${status} ${text}`);
  const message = (json as { message?: unknown } | undefined)?.message;
  assert.ok(typeof message === "string" && message.length > 3, `${what}: ${text}`);
  assert.doesNotMatch(message, /TypeError|RangeError|Cannot read|at .*\.ts:/, what);
}

/** Sends bytes that are no request and returns what comes back until the connection ends. */
function raw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(box.layout.apiSocket, () => socket.write(bytes));
    let said = "";
    socket.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    socket.setTimeout(5000, () => socket.destroy(new Error(`no answer to ${JSON.stringify(bytes)}`)));
    socket.once("close", () => resolve(said));
    socket.once("error", reject);
  });
}

suite("requests that make no sense", { ...requires("busybox"), ...requiresRoot() }, () => {
  before(async () => {
    await box.load(await busybox(), "busybox");
    await box.ok("create", "--name", "stopped", "busybox", "true");
  });

  for (const path of withBody) {
    test(`malformed JSON: POST ${path}`, async () => {
      for (const [what, body] of malformed) {
        assertRefused(await box.api("POST", version + path, body), `${what} to ${path}`);
      }
      assert.equal(await box.ping(), true);
    });
  }

  test("a body where none belongs is not looked at, or refused", async () => {
    for (const route of withoutBody) {
      const [method = "", path = ""] = route.split(" ");
      if (/wait|attach|start$/.test(path)) continue; // they would do what they say
      const { status, text } = await box.api(method, version + path, '{"half":');
      assert.ok(status < 500, `${route}: ${status} ${text}`);
    }
    assert.equal(await box.ping(), true);
  });

  test("values of wrong types and out of range", async () => {
    const before = await box.ok("ps", "-aq");
    for (const body of wrongTypes) {
      const answer = await box.api("POST", `${version}/containers/create`, body);
      if (answer.status === 201) {
        // What only the kernel can refuse is refused by it at the start.
        const { Id } = answer.json as { Id: string };
        const start = await box.api("POST", `${version}/containers/${Id}/start`);
        await box.api("DELETE", `${version}/containers/${Id}?force=1`);
        assertRefused(start, `start of ${JSON.stringify(body)}`);
      } else if (answer.status !== 501) assertRefused(answer, JSON.stringify(body));
    }
    assert.equal(await box.ok("ps", "-aq"), before);
  });

  test("queries that cannot be read, on every route", async () => {
    for (const route of withoutBody) {
      const [method = "", path = ""] = route.split(" ");
      for (const query of queries) {
        if (/attach/.test(path)) continue; // it would wait for the start
        const { status, text } = await box.api(method, `${version}${path}?${query}`);
        assert.ok(status < 500 || status === 501, `${route}?${query}: ${status} ${text}`);
        if (status >= 400) assert.match(text, /"message":".+"/, `${route}?${query}`);
      }
    }
    assert.equal(await box.ping(), true);
  });

  test("names and ids that are none", async () => {
    for (const id of ["%00", "%2e%2e", "..%2f..%2fetc", "a%20b", "%ff", "x".repeat(5000), "%25", "*"]) {
      for (const path of [
        `/containers/${id}/json`,
        `/images/${id}/json`,
        `/exec/${id}/json`,
        `/containers/${id}/logs`,
      ]) {
        const answer = await box.api("GET", version + path);
        assertRefused(answer, path.slice(0, 60));
      }
    }
  });

  test("versions that are none, routes that are none, methods that are none", async () => {
    for (const path of ["/v0.1/info", "/v9.99/info", "/v1.1000/info", "/v1/info", "/nosuch", "/v1.51/nosuch"]) {
      assertRefused(await box.api("GET", path), path);
    }
    for (const method of ["PATCH", "PUT", "DELETE"]) {
      assertRefused(await box.api(method, `${version}/containers/json`), method);
    }
  });

  test("what is not even HTTP", async () => {
    for (const bytes of [
      "\0\0\0\0\r\n\r\n",
      "GET\r\n\r\n",
      "GET / HTTP/9.9\r\n\r\n",
      "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    ]) {
      assert.match(await raw(bytes), /^HTTP\/1\.1 [45]\d\d /, JSON.stringify(bytes));
    }
    await raw(`GET /_ping HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(1 << 20)}\r\n\r\n`).catch(() => "reset");
    assert.match(
      await raw(
        "POST /v1.51/containers/create HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: -5\r\n\r\n{}",
      ),
      /^HTTP\/1\.1 4/,
    );
    assert.equal(await box.ping(), true);
  });
});
