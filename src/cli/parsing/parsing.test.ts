import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { kindOf } from "../../errors/index.ts";
import { parseCsv } from "./csv.ts";
import { parseDevice } from "./device.ts";
import { addFilter } from "./filter.ts";
import { parseEnv, parseEnvLines, parseLabel, readTextFile } from "./key-value.ts";
import { parseDuration, parseMoment } from "./moment.ts";
import { parseTmpfs } from "./mount.ts";
import { parseNamespaceMode } from "./namespace-mode.ts";
import { parseBool, parseInteger, parseNanoCpus } from "./numbers.ts";
import { parsePlatform } from "./platform.ts";
import { canonicalReference, withTag } from "./reference.ts";
import { securityOptions } from "./security-opt.ts";
import { parseSize, parseSizeOrUnlimited } from "./size.ts";
import { parseUlimit } from "./ulimit.ts";
import { parseVolume } from "./volume.ts";

/** Every text is refused as invalid. */
function refuses(parse: (text: string) => unknown, texts: readonly string[]): void {
  for (const text of texts) {
    assert.throws(
      () => parse(text),
      (error) => kindOf(error) === "invalid",
      `${JSON.stringify(text)} is accepted`,
    );
  }
}

test("sizes take docker's suffixes", () => {
  assert.equal(parseSize("64m"), 64 << 20);
  assert.equal(parseSize("1.5g"), 1.5 * 2 ** 30);
  assert.equal(parseSize("512K"), 512 << 10);
  assert.equal(parseSize("100b"), 100);
  assert.equal(parseSize("1024"), 1024);
  assert.equal(parseSize("2GiB"), 2 * 2 ** 30);
  assert.equal(parseSizeOrUnlimited("-1"), -1);
  refuses(parseSize, ["", "x", "64q", "-1", "1.5.1m", "m", "1 m m"]);
});

test("numbers and truth values are strict", () => {
  assert.equal(parseBool("T"), true);
  assert.equal(parseBool("false"), false);
  assert.equal(parseInteger("-3"), -3);
  assert.equal(parseNanoCpus("0.5"), 500_000_000);
  assert.equal(parseNanoCpus("2"), 2_000_000_000);
  assert.equal(parseNanoCpus(".25"), 250_000_000);
  refuses(parseBool, ["maybe", "yes", ""]);
  refuses(parseInteger, ["x", "1.5", "", "9".repeat(30)]);
  refuses(parseNanoCpus, ["a", "", ".", "-1", "0.0000000001", "1e3"]);
});

test("environment variables come with a value or from the caller", () => {
  assert.equal(parseEnv("A=b=c", {}), "A=b=c");
  assert.equal(parseEnv("HOME", { HOME: "/root" }), "HOME=/root");
  assert.equal(parseEnv("NONE", {}), undefined);
  refuses((text) => parseEnv(text, {}), ["=x", ""]);
  const lines = "\uFEFF# comment\n\n  A=1 \r\nHOME\nNONE\nB=#2\n";
  assert.deepEqual(parseEnvLines(lines, "f", { HOME: "/h" }), ["A=1 ", "HOME=/h", "B=#2"]);
  refuses((text) => parseEnvLines(text, "f", {}), ["A B=1", "=x"]);
});

test("an env file that is not there is named in the error", () => {
  assert.throws(() => readTextFile("/nope"), /open \/nope: no such file or directory/);
});

test("labels, filters and tmpfs are pairs", () => {
  assert.deepEqual(parseLabel("a=b=c"), ["a", "b=c"]);
  assert.deepEqual(parseLabel("a"), ["a", ""]);
  refuses(parseLabel, ["=x", ""]);
  assert.deepEqual(addFilter("Status=exited", addFilter("status=created", {})), { status: ["created", "exited"] });
  refuses((text) => addFilter(text, {}), ["a", "=b"]);
  assert.deepEqual(parseTmpfs("/run"), ["/run", ""]);
  assert.deepEqual(parseTmpfs("/run:size=1m,mode=700"), ["/run", "size=1m,mode=700"]);
});

test("ulimits have a soft and a hard limit", () => {
  assert.deepEqual(parseUlimit("nofile=1024:2048"), { Name: "nofile", Soft: 1024, Hard: 2048 });
  assert.deepEqual(parseUlimit("core=0"), { Name: "core", Soft: 0, Hard: 0 });
  assert.deepEqual(parseUlimit("memlock=-1"), { Name: "memlock", Soft: -1, Hard: -1 });
  refuses(parseUlimit, ["foo", "foo=1", "nofile=a", "nofile=2:1", "nofile=-1:5", "nofile="]);
});

test("CSV fields may be quoted", () => {
  assert.deepEqual(parseCsv('type=bind,"src=/a,b","dst=/""q"""'), ["type=bind", "src=/a,b", 'dst=/"q"']);
  refuses(parseCsv, ['"a', 'a"b', '"a"b']);
});

test("volumes are binds, names or anonymous", () => {
  assert.deepEqual(parseVolume("/a:/b:ro"), { bind: "/a:/b:ro" });
  assert.deepEqual(parseVolume("./x:/b", "/work"), { bind: "/work/x:/b" });
  assert.deepEqual(parseVolume("..:/b", "/work/y"), { bind: "/work:/b" });
  assert.deepEqual(parseVolume("data:/b"), { bind: "data:/b" });
  assert.deepEqual(parseVolume("/b"), { anonymous: "/b" });
  refuses((text) => parseVolume(text), ["rel/x:/y", "/a:rel", "rel", "", ":/a", "/a:", "a:/b:c:d"]);
});

test("devices have a path in the container and permissions", () => {
  const device = { PathOnHost: "/dev/a", PathInContainer: "/dev/a", CgroupPermissions: "rwm" };
  assert.deepEqual(parseDevice("/dev/a"), device);
  assert.deepEqual(parseDevice("/dev/a:r"), { ...device, CgroupPermissions: "r" });
  assert.deepEqual(parseDevice("/dev/a:/dev/b:rw"), { ...device, PathInContainer: "/dev/b", CgroupPermissions: "rw" });
  refuses(parseDevice, ["", "a:b:c:d", "/dev/a:/dev/b:x", "/dev/a:/dev/b:rr"]);
});

test("namespaces are shared with the machine or private", () => {
  assert.equal(parseNamespaceMode("pid")("host"), "host");
  assert.equal(parseNamespaceMode("uts")("private"), "");
  assert.equal(parseNamespaceMode("ipc")("private"), "private");
  assert.equal(parseNamespaceMode("pid")("container:x"), "container:x");
  assert.equal(parseNamespaceMode("cgroupns")("host"), "host");
  assert.equal(parseNamespaceMode("userns")("host"), "host");
  refuses(parseNamespaceMode("pid"), ["foo", "container:", "shareable"]);
  refuses(parseNamespaceMode("ipc"), ["foo", "container:"]);
  assert.equal(parseNamespaceMode("ipc")("container:x"), "container:x");
  for (const mode of ["auto", "auto:size=9", "keep-id", "container:x"]) {
    assert.equal(parseNamespaceMode("userns")(mode), mode);
  }
  refuses(parseNamespaceMode("userns"), ["private", "container:", "auto:", "1000:1000"]);
  refuses(parseNamespaceMode("uts"), ["foo", "container:x"]);
});

test("platforms have up to three parts", () => {
  assert.equal(parsePlatform("linux/arm64/v8"), "linux/arm64/v8");
  refuses(parsePlatform, ["a/b/c/d", "", "linux/"]);
});

test("references get their tag, registry and library", () => {
  assert.equal(withTag("localhost:5000/a"), "localhost:5000/a:latest");
  assert.equal(withTag("a:1"), "a:1");
  assert.equal(canonicalReference("debian"), "docker.io/library/debian:latest");
  assert.equal(canonicalReference("sampan/host"), "docker.io/sampan/host:latest");
  assert.equal(canonicalReference("localhost:5000/a:1"), "localhost:5000/a:1");
  assert.equal(canonicalReference("ghcr.io/a/b@sha256:00"), "ghcr.io/a/b@sha256:00");
});

test("a seccomp profile is sent, not named", () => {
  const directory = mkdtempSync(join(tmpdir(), "sampan-cli-"));
  try {
    const path = join(directory, "profile.json");
    writeFileSync(path, '{ "defaultAction": "SCMP_ACT_ALLOW" }\n');
    assert.deepEqual(securityOptions([`seccomp=${path}`, "seccomp:unconfined", "no-new-privileges"]), [
      'seccomp={"defaultAction":"SCMP_ACT_ALLOW"}',
      "seccomp=unconfined",
      "no-new-privileges",
    ]);
    writeFileSync(path, "{");
    refuses((text) => securityOptions([text]), [`seccomp=${path}`, "seccomp=/nope", "foo"]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("moments are unix times, RFC 3339 or durations before now", () => {
  assert.equal(parseDuration("1h30m"), 5400);
  assert.equal(parseDuration("1.5s"), 1.5);
  assert.equal(parseDuration("10"), undefined);
  assert.equal(parseMoment("1700000000.5"), "1700000000.5");
  assert.equal(parseMoment("2013-01-02T13:23:37Z"), "1357133017.000000000");
  assert.equal(parseMoment("2013-01-02T13:23:37.000000001Z"), "1357133017.000000001");
  assert.equal(parseMoment("10s", 100_000), "90.000000000");
  refuses((text) => parseMoment(text), ["", "yesterday", "10x", "2013-13-02T00:00:00Z"]);
});
