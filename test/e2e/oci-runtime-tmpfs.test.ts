import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { OciSandbox, runtimes, sampanRuntime, type TestConfig } from "../support/oci.ts";
import { requires, requiresRoot } from "../support/requires.ts";

const tmpfs =
  (destination: string, ...options: string[]) =>
  (config: TestConfig) => {
    config.mounts.push({ destination, type: "tmpfs", source: "tmpfs", options });
  };

/** What an image might have at /data, and outside of it what a link leads to. */
function fill(rootfs: string): void {
  const data = join(rootfs, "data");
  mkdirSync(join(data, "inner"), { recursive: true });
  writeFileSync(join(data, "inner/file"), "x".repeat(100_000));
  writeFileSync(join(data, "name with \n"), "");
  writeFileSync(join(data, "set"), "", { mode: 0o600 });
  symlinkSync("/etc/passwd", join(data, "link"));
  lchownSync(join(data, "link"), 7, 8);
  for (const [name, mode] of [
    ["inner/file", 0o644],
    ["inner", 0o751],
    ["set", 0o4711],
    ["", 0o755],
  ] as const) {
    chownSync(join(data, name), 5, 6);
    chmodSync(join(data, name), mode);
  }
  utimesSync(join(data, "inner/file"), 1_000_000, 2_000_000);
}

const look =
  "cd /data; stat -f -c %T .; stat -c '%n %a %u:%g %F' inner inner/file link set; wc -c <inner/file; readlink link; ls | wc -l";
const found = [
  ...["tmpfs", "inner 751 5:6 directory", "inner/file 644 5:6 regular file"],
  ...["link 777 7:8 symbolic link", "set 4711 5:6 regular empty file", "100000", "/etc/passwd", "4", ""],
].join("\n");

for (const { name, binary } of runtimes) {
  const skip = binary === undefined ? requires(name) : requiresRoot();
  describe(`file systems in memory by ${name}`, skip, () => {
    const sandbox = new OciSandbox(binary ?? "");
    let count = 0;

    after(async () => assert.deepEqual(await sandbox.close(), []));

    async function bundle(line: string, ...changes: ((config: TestConfig) => void)[]): Promise<string> {
      const path = await sandbox.bundle((config) => {
        config.process.args = ["sh", "-c", line];
        for (const change of changes) change(config);
      });
      fill(join(path, "rootfs"));
      return path;
    }
    // The files are not root's
    const override = ({ process }: TestConfig) => {
      const sets = ["bounding", "effective", "permitted"].map((set) => [set, ["CAP_DAC_OVERRIDE"]]);
      process.capabilities = Object.fromEntries(sets);
    };
    const run = async (path: string) => sandbox.ok("run", "--bundle", path, `t${++count}`);

    test("a tmpfs has the rights of the directory that it covers", async () => {
      const mounts = [tmpfs("/data"), tmpfs("/new"), tmpfs("/root", "ro", "nosuid")];
      const path = await bundle("stat -c '%n %a' /data /new /root; ls /data", ...mounts);
      chmodSync(join(path, "rootfs/root"), 0o701);
      assert.equal(await run(path), "/data 755\n/new 1777\n/root 701\n");
    });

    test("tmpcopyup: it begins with what the image has there, which stays as it was", async () => {
      const line = `${look}; echo changed >inner/file && rm set`;
      const path = await bundle(line, tmpfs("/data", "tmpcopyup", "size=1m"), override);
      assert.equal(await run(path), found);
      assert.equal(readFileSync(join(path, "rootfs/data/inner/file"), "utf8").length, 100_000);
    });
  });
}

describe("tmpcopyup", requiresRoot(), () => {
  const sandbox = new OciSandbox(sampanRuntime);
  let count = 0;

  after(async () => assert.deepEqual(await sandbox.close(), []));

  async function bundle(line: string, ...changes: ((config: TestConfig) => void)[]): Promise<string> {
    return await sandbox.bundle((config) => {
      config.process.args = ["sh", "-c", line];
      for (const change of changes) change(config);
    });
  }
  const run = (path: string) => sandbox.run(["run", "--bundle", path, `u${++count}`]);

  test("read-only, with rights of its own, and where the image has nothing", async () => {
    const line = "stat -c '%a %u:%g' /data; touch /data/x 2>&1; stat -c %a /new; touch /new/x && echo writable";
    const path = await bundle(line, tmpfs("/data", "tmpcopyup", "ro", "mode=0705"), tmpfs("/new", "tmpcopyup"));
    fill(join(path, "rootfs"));
    const { stdout } = await run(path);
    assert.equal(stdout, "705 5:6\ntouch: /data/x: Read-only file system\n1777\nwritable\n");
  });

  test("a link in its place leads nowhere else than in the container, and none is followed", async () => {
    const line = "cat /link/file; readlink /link/away";
    const path = await bundle(line, tmpfs("/link", "tmpcopyup"));
    mkdirSync(join(path, "rootfs/etc/inside"), { recursive: true });
    writeFileSync(join(path, "rootfs/etc/inside/file"), "inside\n");
    symlinkSync("/etc/shadow", join(path, "rootfs/etc/inside/away"));
    symlinkSync("../../../../etc/inside", join(path, "rootfs/link"));
    const { stdout, stderr } = await run(path);
    assert.equal(stdout, "inside\n/etc/shadow\n", stderr);
  });

  test("in a user namespace its files are the container's", async () => {
    const mapping = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
    const line = "stat -c '%u %a' /data /data/file /new; touch /data/x /new/x && echo writable";
    const path = await bundle(line, tmpfs("/data", "tmpcopyup"), tmpfs("/new", "tmpcopyup"), (config) => {
      config.linux.namespaces.push({ type: "user" });
      Object.assign(config.linux, { uidMappings: mapping, gidMappings: mapping });
    });
    mkdirSync(join(path, "rootfs/data"));
    writeFileSync(join(path, "rootfs/data/file"), "", { mode: 0o600 });
    execFileSync("chown", ["-hR", "100000:100000", join(path, "rootfs")]);
    for (const directory of [sandbox.directory, path]) chmodSync(directory, 0o755);
    const { stdout, stderr } = await run(path);
    assert.equal(stdout, "0 755\n0 600\n0 1777\nwritable\n", stderr);
  });

  test("what does not fit, and what is no file, is an error, and nothing is left", async () => {
    const path = await bundle("true", tmpfs("/data", "tmpcopyup", "size=64k"));
    fill(join(path, "rootfs"));
    const full = await run(path);
    assert.equal(full.status, 1);
    assert.match(full.stderr, /Cannot copy the image's \/data into the tmpfs there: ENOSPC/);
    const odd = await bundle("true", tmpfs("/data", "tmpcopyup"));
    mkdirSync(join(odd, "rootfs/data"));
    execFileSync("mkfifo", [join(odd, "rootfs/data/pipe")]);
    assert.match((await run(odd)).stderr, /pipe: only directories, files and links are copied/);
  });
});
