import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { landlockSupport } from "../../src/kernel/landlock/support.ts";
import { dockerOf } from "../support/docker.ts";
import { testExecutor } from "../support/helper.ts";
import { busybox } from "../support/images.ts";
import { OciSandbox, sampanRuntime } from "../support/oci.ts";
import { eventually } from "../support/process.ts";
import { requires, requiresKernel, requiresRoot } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const { executor } = testExecutor();
const { abi } = await landlockSupport(executor);
const kernel = requiresKernel(abi >= 6 ? undefined : `needs Landlock's interface 6, there is ${abi}`);
/** Prints "written" or "refused" for each of two directories. */
const script = "for d in /tmp /etc; do echo x 2>/dev/null >$d/a && echo written || echo refused; done";
const confined = "written\nrefused";

describe("--security-opt landlock", kernel, () => {
  const box = sandbox({ start: true });
  const rules = ["--network", "none", "--security-opt", "landlock=write=/tmp:/dev"];

  before(async () => {
    await box.load(await busybox(), "busybox");
  });

  test("rules in words, as JSON and in a file; each option is a layer; the rest is free", async () => {
    const file = join(box.directory, "policy.json");
    const policy = { write: ["/tmp", "/dev"] };
    writeFileSync(file, JSON.stringify(policy, undefined, 2));
    for (const said of ["write=/tmp:/dev", JSON.stringify(policy), file]) {
      const options = ["--rm", "--network", "none", "--security-opt", `landlock=${said}`];
      assert.equal(await box.ok("run", ...options, "busybox", "sh", "-c", script), confined, said);
    }
    const layer = ["--security-opt", "landlock=write=/etc:/dev"];
    assert.equal(await box.ok("run", "--rm", ...rules, ...layer, "busybox", "sh", "-c", script), "refused\nrefused");
  });

  test("every exec is under them, a privileged one too; so is the container after a restart and another daemon", async () => {
    await box.ok("run", "-d", "--name", "confined", ...rules, "busybox", "sleep", "1000");
    const both = async () => {
      assert.equal(await box.ok("exec", "confined", "sh", "-c", script), confined);
      assert.equal(await box.ok("exec", "--privileged", "-u", "0", "confined", "sh", "-c", script), confined);
    };
    await both();
    const [option] = JSON.parse(await box.ok("inspect", "-f", "{{json .HostConfig.SecurityOpt}}", "confined"));
    assert.equal(option, "landlock=write=/tmp:/dev");
    await box.crash();
    await both();
    await box.ok("restart", "-t", "0", "confined");
    await both();
    await box.ok("rm", "-f", "confined");
  });

  test("health checks are under them", async () => {
    const check = ["--health-interval", "50ms", "--health-retries", "1", "--health-cmd", "echo x >/etc/a"];
    await box.ok("run", "-d", "--name", "checked", ...rules, ...check, "busybox", "sleep", "1000");
    const format = "{{.State.Health.Status}} {{(index .State.Health.Log 0).Output}}";
    await eventually("it is unhealthy", async () =>
      /^unhealthy .*Permission denied/s.test(await box.ok("inspect", "-f", format, "checked").catch(() => "")),
    );
    await box.ok("rm", "-f", "checked");
  });

  test("the annotation of OCI runtimes holds here, too", async () => {
    const options = ["--rm", "--network", "none", "--annotation", "org.sampan.landlock=write=/tmp:/dev"];
    assert.equal(await box.ok("run", ...options, "busybox", "sh", "-c", script), confined);
  });

  test("docker's command line hands words on, and paths, which are no policy", requires("docker"), async () => {
    const { ok } = dockerOf(box);
    assert.equal(await ok("run", "--rm", ...rules, "busybox", "sh", "-c", script), confined);
    const create = (option: string) =>
      box.api("POST", "/containers/create", { Image: "busybox", HostConfig: { SecurityOpt: [option] } });
    const { status, text } = await create("landlock=write=/tmp");
    assert.equal(status, 201, text);
    const refused = await create("landlock=/client/policy.json");
    assert.equal(refused.status, 400);
    assert.match(refused.text, /of the Landlock policy: it is WORD=VALUE/);
  });

  test("explained in the chapter about security", async () => {
    const text = await box.ok("run", "--explain", ...rules, "busybox", "true");
    assert.match(text, /landlock_restrict_self\(/);
    assert.match(text, /Landlock: find \/tmp/);
  });

  test("what is no policy, no file and nowhere is refused", async () => {
    const refused = async (policy: string, stderr: RegExp, status = 125) => {
      const options = ["--rm", "--network", "none", "--security-opt", `landlock=${policy}`];
      await box.fails({ status, stderr }, "run", ...options, "busybox", "/bin/true");
    };
    await refused("writes=/tmp", /Cannot read "writes" of the Landlock policy: it is none of read, write/);
    await refused("/no/such/policy", /opening Landlock policy \(\/no\/such\/policy\) failed: .*no such file/);
    await refused("write=/no/such", /Cannot confine by Landlock: \/no\/such: there is none in the container/);
    await refused("execute=/tmp", /exec: "\/bin\/true": permission denied/, 126);
  });
});

describe("sampan-runtime with the annotation org.sampan.landlock", { ...requiresRoot(), ...kernel }, () => {
  const oci = new OciSandbox(sampanRuntime);
  after(async () => assert.deepEqual(await oci.close(), []));

  const bundle = (policy: string, args: string[]) =>
    oci.bundle((config) => {
      config.process.args = args;
      config.root.readonly = false;
      config.annotations = { "org.sampan.landlock": policy };
      config.mounts.push({ destination: "/tmp", type: "tmpfs", source: "tmpfs" });
    });

  test("the first process and every exec are under the rules", async () => {
    const path = await bundle('{"write": ["/tmp", "/dev"]}', ["sh", "-c", script]);
    assert.equal(await oci.ok("run", "--bundle", path, "l1"), `${confined}\n`);
    const idle = await bundle("write=/tmp:/dev", ["sleep", "1000"]);
    await oci.detached("run", "--detach", "--bundle", idle, "l2");
    assert.equal(await oci.ok("exec", "l2", "sh", "-c", script), `${confined}\n`);
    await oci.ok("delete", "--force", "l2");
  });

  test("what is no policy is refused by the annotation's name, and nothing is left", async () => {
    const { status, stderr } = await oci.run(["run", "--bundle", await bundle("write", ["true"]), "l3"]);
    assert.equal(status, 1);
    assert.match(stderr, /annotations.org.sampan.landlock: Cannot read .*write.* of the Landlock policy/);
    assert.equal(await oci.ok("list", "-q"), "");
  });
});
