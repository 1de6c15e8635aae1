import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { tar, writeOciLayout } from "../support/images.ts";
import { SampanMachine } from "../support/machine-sampan.ts";
import type { Namespace } from "../support/namespace.ts";
import { eventually } from "../support/process.ts";
import { requires, requiresRoot } from "../support/requires.ts";
import { Sandbox } from "../support/sandbox.ts";
import { selfSigned } from "../support/self-signed.ts";
import { type Serving, serveFrom } from "../support/serving.ts";
import { image, uplink } from "../support/uplink.ts";

/** One machine hands its images to the next, over a cable and not over loopback. */
const upstream = `${uplink.outside.v4}:5001`;
const machine = new SampanMachine(["--insecure-registry", upstream]);
const needs = {
  ...requires("docker-registry", "skopeo", "umoci", "openssl", "curl", "ip", "nft", "cc", "busybox"),
  ...requiresRoot(),
};

suite("images go from machine to machine", needs, () => {
  let outside: Namespace;

  before(async () => {
    await machine.open();
    outside = machine.outside;
  });
  after(() => machine.close());

  /** A second machine's daemon, with nothing in it. */
  async function next(...args: string[]): Promise<Sandbox> {
    const box = new Sandbox();
    box.enter = outside.enter;
    await box.start(...args);
    return box;
  }

  async function withNext(args: readonly string[], use: (box: Sandbox) => Promise<void>): Promise<void> {
    const box = await next(...args);
    try {
      await use(box);
    } finally {
      await box.close();
    }
  }

  async function serving(args: readonly string[], use: (serving: Serving) => Promise<void>): Promise<void> {
    const serving = await serveFrom(machine.box, ...args);
    try {
      await use(serving);
    } finally {
      await serving.close();
    }
  }

  const id = (box: Sandbox, name: string) => box.ok("images", "-q", "--no-trunc", name);
  const http = `${uplink.machine.v4}:5000`;

  test("pulled, built upon and run there; skopeo copies it from there", async () => {
    await serving(["--listen", ":5000"], async () => {
      await withNext(["--insecure-registry", http], async (box) => {
        await box.ok("pull", "-q", `${http}/probe`);
        assert.equal(await id(box, `${http}/probe`), await id(machine.box, image));
        const run = ["run", "--rm", "--network", "none"];
        assert.equal(await box.ok(...run, `${http}/probe`, "echo", "over there"), "over there");
        const { status, stderr } = await box.run(["build", "-q", "-t", "upon", "-"], {
          input: `FROM ${http}/probe\nRUN echo built > /upon\n`,
        });
        assert.equal(status, 0, stderr);
        assert.equal(await box.ok(...run, "upon", "cat", "/upon"), "built");
      });
      const layout = join(machine.directory, "copied");
      const copy = ["copy", "-q", "--insecure-policy", "--src-tls-verify=false", `docker://${http}/probe`];
      await outside.ok("skopeo", ...copy, `oci:${layout}:x`);
      await outside.ok("umoci", "unpack", "--rootless", "--image", `${layout}:x`, join(machine.directory, "unpacked"));
      const probe = readFileSync(join(machine.directory, "unpacked/rootfs/bin/probe"));
      assert.ok(probe.equals(readFileSync(machine.probe)));
    });
  });

  test("without leave nothing is pulled in the clear, and the refusal says what gives it", async () => {
    await serving(["--listen", ":5000"], () =>
      withNext([], async (box) => {
        const { status, stderr } = await box.run(["pull", `${http}/probe`]);
        assert.equal(status, 1);
        assert.match(stderr, /insecure/);
      }),
    );
  });

  test("by TLS, to who knows the certificate, and to nobody else", async () => {
    const { v4 } = uplink.machine;
    const { key, cert } = await selfSigned(join(machine.directory, "tls"), `IP:${v4}`);
    const tls = ["--tls-cert", cert.path, "--tls-key", key.path];
    await serving(["--listen", `${v4}:5443`, ...tls], async ({ host }) => {
      assert.equal(host, `${v4}:5443`);
      const known = join(machine.directory, "known");
      mkdirSync(join(known, "certs.d", host), { recursive: true });
      writeFileSync(join(known, "certs.d", host, "ca.crt"), cert.pem);
      await withNext(["--registry-config", known], async (box) => {
        await box.ok("pull", "-q", `${host}/probe`);
        assert.equal(await id(box, `${host}/probe`), await id(machine.box, image));
      });
      await withNext([], (box) =>
        box.fails({ status: 1, stderr: /certificate/ }, "pull", `${host}/probe`).then(() => {}),
      );
    });
  });

  test("through a machine that keeps what it fetches from a registry elsewhere, also when that is away", async () => {
    const { config, layout } = await upstreamFiles(machine.directory);
    const server = await outside.background("sh", "-c", `exec docker-registry serve ${config} 2>&1`);
    const asked = ["curl", "-sSf", "-o", "/dev/null", `http://${upstream}/v2/`];
    await eventually("the registry answers", async () => (await outside.run(asked)).status === 0);
    const copy = ["copy", "-q", "--insecure-policy", "--dest-tls-verify=false", `oci:${layout}`];
    await outside.ok("skopeo", ...copy, `docker://${upstream}/team/app:1`);
    const look = async (box: Sandbox, name: string) => {
      await box.ok("pull", "-q", name);
      await box.ok("create", "--name", "look", "--network", "none", name, "none");
      assert.equal(await box.ok("cp", "look:/app", "-").then((text) => text.includes("of the upstream")), true);
    };
    await serving(["--listen", ":5000", "--proxy", `http://${upstream}`], async (proxy) => {
      await withNext(["--insecure-registry", http], (box) => look(box, `${http}/team/app:1`));
      const fetched = proxy.lines.filter((line) => / GET \/v2\/team\/app\/blobs\/.* 200 /.test(line));
      assert.ok(fetched.length > 0, proxy.lines.join("\n"));
      const gone = once(server, "exit");
      server.kill("SIGKILL");
      await gone;
      await withNext(["--insecure-registry", http], (box) => look(box, `${http}/team/app:1`));
      // Whoever asks for the upstream's name asks its mirror first.
      const config = join(machine.directory, "mirrored");
      mkdirSync(config);
      const mirrors = { [upstream]: { insecure: true, mirrors: [`http://${http}`] } };
      writeFileSync(join(config, "registries.json"), JSON.stringify(mirrors));
      await withNext(["--registry-config", config], (box) => look(box, `${upstream}/team/app:1`));
    });
  });
});

/** What a registry outside serves there, with its configuration, and an image for it. */
async function upstreamFiles(directory: string): Promise<{ readonly config: string; readonly layout: string }> {
  const [files, layout] = [join(directory, "upstream"), join(directory, "layout")];
  mkdirSync(files);
  mkdirSync(layout);
  writeOciLayout(layout, { layers: [await tar([{ name: "app", body: "of the upstream\n" }])], config: {} });
  const config = join(files, "config.yml");
  const http = `http: { addr: "${upstream}" }`;
  writeFileSync(config, `version: 0.1\nstorage: { filesystem: { rootdirectory: ${files} } }\n${http}\n`);
  return { config, layout };
}
