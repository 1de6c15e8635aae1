import assert from "node:assert/strict";
import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { arm64Program } from "../support/arm64.ts";
import { buildContext } from "../support/builds.ts";
import { busybox } from "../support/images.ts";
import { succeed } from "../support/process.ts";
import { requires, requiresKernel } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });

const binfmt = "/proc/sys/fs/binfmt_misc";
const entry = join(binfmt, "sampan-test-arm64");

/** How ELF executables for arm64 begin, and which of their bits count (as Debian's qemu-user-static has it). */
const magic = "\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00";
const mask = "\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff";

/** Tells the kernel who runs programs for arm64; `F`: the interpreter is opened now, and needs to be in no container. */
function register(flags: string): void {
  if (existsSync(entry)) writeFileSync(entry, "-1");
  writeFileSync(
    join(binfmt, "register"),
    `:sampan-test-arm64:M::${magic}:${mask}:/usr/bin/qemu-aarch64-static:${flags}`,
  );
}

/** Only a machine that is thrown away may be told: what is registered counts for all of its processes. */
const ownKernel =
  process.env.VM_RUN === "1" ? undefined : "interpreters are registered in a machine that is thrown away";

let builds = 0;

function context(): string {
  const Dockerfile = ["FROM scratch", "COPY hello /bin/hello", `RUN ["/bin/hello", "${++builds}"]`];
  const directory = buildContext(box, { Dockerfile });
  writeFileSync(join(directory, "hello"), arm64Program("hello from arm64\n", "/made"), { mode: 0o755 });
  return directory;
}

const all = { ...requires("qemu-aarch64-static", "busybox"), ...requiresKernel(ownKernel) };

suite("commands for another processor, by an interpreter of binfmt_misc", all, () => {
  before(async () => {
    await box.load(await busybox(), "busybox:latest");
    if (!existsSync(join(binfmt, "register"))) await succeed("mount", ["-t", "binfmt_misc", "binfmt_misc", binfmt]);
  });
  after(() => {
    if (existsSync(entry)) writeFileSync(entry, "-1");
  });

  test("RUN makes a layer of it, and run runs it", async () => {
    register("F");
    const dest = join(box.directory, "out");
    const words = ["build", "--progress", "plain", "--platform", "linux/arm64", "-t", "foreign"];
    const { status, stderr } = await box.run([...words, context()]);
    assert.equal(status, 0, stderr);
    assert.match(stderr, /^#\d+ [\d.]+ hello from arm64$/m);
    await box.ok("build", "--platform", "linux/arm64", "-o", dest, context());
    assert.deepEqual(readdirSync(dest).sort(), ["bin", "made"]);
    assert.equal(statSync(join(dest, "made")).mode & 0o777, 0o755);
    const run = ["run", "--rm", "--network", "none", "--platform", "linux/arm64", "foreign", "/bin/hello"];
    assert.equal((await box.ok(...run)).trim(), "hello from arm64");
  });

  test("of several platforms at once, each by its own", async () => {
    register("F");
    const directory = buildContext(box, {
      Dockerfile: [
        "FROM busybox AS amd64",
        "RUN mkdir /made",
        "FROM scratch AS arm64",
        "COPY hello /bin/hello",
        'RUN ["/bin/hello"]',
        "ARG TARGETARCH=arm64",
        "FROM $TARGETARCH",
      ],
    });
    writeFileSync(join(directory, "hello"), arm64Program("hello\n", "/made"), { mode: 0o755 });
    const dest = join(box.directory, "both");
    await box.ok("build", "--platform", "linux/amd64,linux/arm64", "-o", dest, directory);
    for (const name of ["linux_amd64", "linux_arm64"]) assert.ok(existsSync(join(dest, name, "made")), name);
  });

  test("without the flag F the interpreter would have to be in the image; that is told", async () => {
    register("");
    const { status, stderr } = await box.run(["build", "--platform", "linux/arm64", context()]);
    assert.equal(status, 1, stderr);
    assert.match(stderr, /no such file or directory; .*binfmt_misc.* flag F/);
  });
});
