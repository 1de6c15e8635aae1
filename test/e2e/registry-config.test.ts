import assert from "node:assert/strict";
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { httpCore } from "../../src/registry/http.ts";
import { type Front, startFront } from "../support/front.ts";
import { ImageBox } from "../support/image-store.ts";
import { busybox, writeOciLayout } from "../support/images.ts";
import { eventually, runProgram } from "../support/process.ts";
import { type Registry, startRegistry } from "../support/registry.ts";
import { requires, requiresRoot } from "../support/requires.ts";
import { Sandbox } from "../support/sandbox.ts";
import { type SelfSigned, selfSigned } from "../support/self-signed.ts";

describe("configuration of registries", {
  ...requires("docker-registry", "skopeo", "busybox", "openssl"),
  ...requiresRoot(),
}, () => {
  let box: ImageBox;
  let registry: Registry;
  let front: Front;
  let config: string;

  before(async () => {
    box = new ImageBox({ registryConfig: "" });
    config = join(box.directory, "config");
    mkdirSync(config);
    await box.close();
    box = new ImageBox({ registryConfig: config });
    mkdirSync(config, { recursive: true });
    registry = await startRegistry(join(box.directory, "registry"));
    front = await startFront(registry.host, ({ forward }) => forward());
    const layout = join(box.directory, "layout");
    writeOciLayout(layout, await busybox());
    await registry.push(layout, "team/app:1");
  });
  after(async () => {
    await front?.close();
    await registry?.close();
    rmSync(config, { recursive: true, force: true });
    await box?.close();
  });

  const configure = (value: unknown) => writeFileSync(join(config, "registries.json"), JSON.stringify(value));
  const nobody = { force: true, inUse: () => [] };
  const pullAnew = async (name: string) => {
    for (const { id, virtual } of box.images.list()) if (virtual === undefined) await box.images.remove(id, nobody);
    front.seen.length = 0;
    return await box.pull(name);
  };

  test("mirrors per registry, which are told whose mirror they are", async () => {
    configure({ "registry.invalid": { mirrors: ["127.0.0.1:1", front.host] } });
    const { image } = await pullAnew("registry.invalid/team/app:1");
    assert.deepEqual(image.names, ["registry.invalid/team/app:1"]);
    assert.ok(
      front.seen.some((line) => line.endsWith("/v2/team/app/manifests/1?ns=registry.invalid")),
      front.seen.join("\n"),
    );
  });

  test("mirrors of all others; a change holds at once", async () => {
    configure({ "*": { mirrors: [`http://${front.host}`] }, "own.invalid": {} });
    await pullAnew("other.invalid/team/app:1");
    assert.ok(front.seen.length > 0);
    await assert.rejects(pullAnew("own.invalid/team/app:1"), { kind: "unavailable", message: /own\.invalid/ });
    assert.equal(front.seen.length, 0);
  });

  test("what a mirror lacks comes from the registry", async () => {
    const lacking = await startFront(registry.host, async () => ({ status: 404, headers: {}, body: Buffer.alloc(0) }));
    try {
      configure({ [front.host]: { mirrors: [lacking.host] } });
      await pullAnew(`${front.host}/team/app:1`);
      assert.ok(lacking.seen.length > 0 && front.seen.length > 0);
    } finally {
      await lacking.close();
    }
  });

  test("a malformed file is an error that names it", async () => {
    for (const value of [[], { a: { mirrors: "x" } }, { a: { mirror: [] } }]) {
      configure(value);
      await assert.rejects(pullAnew(`${front.host}/team/app:1`), { kind: "invalid", message: /registries\.json: / });
    }
    const daemon = new Sandbox();
    try {
      const { status, stderr } = await daemon.run(["daemon", "--registry-config", config]);
      assert.notEqual(status, 0);
      assert.match(stderr, /Cannot use .*registries\.json/);
    } finally {
      await daemon.close();
    }
    configure({});
  });

  /** A registry that speaks TLS with a certificate that nobody knows and, when `wanted`, knows its clients by theirs. */
  async function tlsFront(keys: SelfSigned, wanted: boolean): Promise<{ host: string; server: Server }> {
    const tls = { key: keys.key.pem, cert: keys.cert.pem };
    const verify = wanted ? { ca: tls.cert, requestCert: true, rejectUnauthorized: false } : {};
    const server = createServer({ ...tls, ...verify }, (request, response) => {
      if (wanted && !(request.socket as TLSSocket).authorized) {
        response.writeHead(403).end();
        return;
      }
      const headers = { accept: request.headers.accept ?? "" };
      fetch(`http://${registry.host}${request.url}`, { method: request.method ?? "GET", headers })
        .then(async (answer) => {
          const type = answer.headers.get("content-type") ?? "";
          response.writeHead(answer.status, { "content-type": type }).end(Buffer.from(await answer.arrayBuffer()));
        })
        .catch(() => response.destroy());
    });
    // Not a loopback name, for there nothing is verified.
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return { host: `registry.test:${(server.address() as AddressInfo).port}`, server };
  }

  test("certs.d: authorities and certificates of clients, by host and port", async () => {
    const keys = await selfSigned(join(box.directory, "keys"), "DNS:registry.test");
    for (const client of [false, true]) {
      const { host, server } = await tlsFront(keys, client);
      try {
        const own = join(config, "certs.d", host);
        const check = (...words: RegExp[]) => checkInNamespace(host, config, words);
        await check(/self-signed certificate/);
        mkdirSync(own, { recursive: true });
        cpSync(keys.cert.path, join(own, "ca.crt"));
        if (client) {
          await check(/denied|403/);
          cpSync(keys.cert.path, join(own, "client.cert"));
          await check(/has no client\.key beside it/);
          cpSync(keys.key.path, join(own, "client.key"));
        }
        await check(/^sha256:/);
      } finally {
        server.closeAllConnections();
        server.close();
      }
    }
  });

  test("connections made with certificates that a registry no longer has are given up", async () => {
    const keys = await selfSigned(join(box.directory, "former"), "IP:127.0.0.1");
    const { server } = await tlsFront(keys, false);
    const { port } = server.address() as AddressInfo;
    const own = join(config, "certs.d", `127.0.0.1:${port}`);
    const core = httpCore([join(config, "certs.d")]);
    const connections = promisify(server.getConnections.bind(server));
    const ask = async () => {
      const url = new URL(`https://127.0.0.1:${port}/v2/`);
      const { status } = await core.send({ method: "GET", url, headers: {}, insecure: true, limit: 10_000 });
      assert.equal(status, 200);
    };
    try {
      const ports = new Set<number | undefined>();
      server.on("secureConnection", ({ remotePort }) => ports.add(remotePort));
      const change = async (made: number) => {
        await ask();
        await ask();
        assert.equal(ports.size, made);
        await eventually(
          "those of former certificates are gone",
          async () => (await connections()) === Math.min(made, 2),
        );
      };
      await change(1);
      // The connection without certificates stays, as other registries' are alike.
      mkdirSync(own, { recursive: true });
      cpSync(keys.cert.path, join(own, "ca.crt"));
      await change(2);
      cpSync(keys.cert.path, join(own, "more.crt"));
      await change(3);
      rmSync(own, { recursive: true });
      await ask();
      await eventually("only the usual one is left", async () => (await connections()) === 1);
      assert.equal(ports.size, 3);
    } finally {
      core.close();
      server.close();
    }
  });
});

/** Looks the image up at a name that only a hosts file of its own knows. */
async function checkInNamespace(host: string, config: string, words: readonly RegExp[]): Promise<void> {
  const script = `
    import { RegistryClient } from "./src/registry/client.ts";
    import { parseReference } from "./src/registry/reference.ts";
    const client = new RegistryClient({ configDirectory: process.argv[1], patience: { attempts: 1, base: 1, max: 1 } });
    try {
      const repository = await client.repository(parseReference(process.argv[2] + "/team/app:1"));
      console.log((await repository.manifest("1", 100000)).digest);
    } catch (error) { console.log(error.message); }
    client.close();`;
  const node = [process.execPath, "--input-type=module-typescript", "-e", script, config, host];
  const hosts = join(config, "hosts");
  writeFileSync(hosts, "127.0.0.1 localhost registry.test\n");
  const enter = ["unshare", "-m", "sh", "-c", `mount --bind ${hosts} /etc/hosts && exec "$@"`, "sh"];
  const [file = "", ...args] = [...enter, ...node];
  const { stdout, stderr } = await runProgram(file, args);
  for (const word of words) assert.match(stdout, word, stderr);
}
