import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { httpCore } from "../../src/registry/http.ts";
import { type FrontAnswer, type FrontRequest, plain, startFront } from "../support/front.ts";
import { ImageBox } from "../support/image-store.ts";
import { busybox, writeOciLayout } from "../support/images.ts";
import { succeed } from "../support/process.ts";
import { freePort, type Registry, startRegistry } from "../support/registry.ts";
import { requires } from "../support/requires.ts";
import { selfSigned } from "../support/self-signed.ts";

const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

describe(
  "registries that ask who it is",
  requires("docker-registry", "skopeo", "busybox", "htpasswd", "openssl"),
  () => {
    let box: ImageBox;
    let registry: Registry;
    let name: string;
    const nobody = { force: true, inUse: () => [] };

    before(async () => {
      box = new ImageBox();
      const layout = join(box.directory, "image");
      writeOciLayout(layout, await busybox());
      registry = await startRegistry(join(box.directory, "registry"));
      name = "private/image:1";
      await registry.push(layout, name);
    });

    after(async () => {
      await registry.close();
      await box.close();
    });

    /** Pulls into an empty store. */
    const fresh = async (host: string, auth?: Parameters<ImageBox["pull"]>[1]) => {
      for (const { id, virtual } of box.images.list()) if (virtual === undefined) await box.images.remove(id, nobody);
      return await box.pull(`${host}/${name}`, auth);
    };

    /** Asks for a token like Docker's hub and lets only who has it through to the registry. */
    function tokenServer(o: { uses?: number } = {}) {
      const asked: string[] = [];
      let issued = 0;
      let left = 0;
      const grant = (): FrontAnswer => {
        left = o.uses ?? Number.POSITIVE_INFINITY;
        return plain(200, { token: `token-${++issued}`, expires_in: 300 });
      };
      const answer = async ({ method, path, headers, body, forward }: FrontRequest): Promise<FrontAnswer> => {
        if (path.startsWith("/token")) {
          asked.push(`${method} ${path} ${headers.authorization ?? "anonymous"} ${body}`);
          const known = headers.authorization === basic("user", "right") || /refresh_token=identity/.test(body);
          return known ? grant() : plain(401, { details: "incorrect username or password" });
        }
        if (headers.authorization === `Bearer token-${issued}` && left-- > 0) return forward();
        const challenge = `Bearer realm="http://${headers.host}/token",service="test registry",scope="repository:private/image:pull"`;
        const complaint = { errors: [{ code: "UNAUTHORIZED", message: "authentication required" }] };
        return plain(401, complaint, { "www-authenticate": challenge });
      };
      return { answer, asked };
    }

    test("Basic: name and password are sent when asked for, wrong ones are refused", async () => {
      const file = join(box.directory, "htpasswd");
      writeFileSync(file, await succeed("htpasswd", ["-Bbn", "user", "right"]));
      const guarded = await startRegistry(registry.directory, `auth: { htpasswd: { realm: test, path: ${file} } }\n`);
      try {
        const auth = { username: "user", password: "right" };
        assert.equal((await fresh(guarded.host, { auth })).image.layers.length, 1);
        const denied = {
          kind: "not-found",
          message:
            /^pull access denied for .*private\/image, repository does not exist or may require 'docker login': unauthorized: authentication required/,
        };
        await assert.rejects(fresh(guarded.host), denied);
        await assert.rejects(fresh(guarded.host, { auth: { ...auth, password: "wrong" } }), denied);
      } finally {
        await guarded.close();
      }
    });

    test("Bearer: one token for all requests, asked for with service, scope and credentials", async () => {
      const { answer, asked } = tokenServer();
      const front = await startFront(registry.host, answer);
      try {
        await fresh(front.host, { auth: { username: "user", password: "right" } });
        const query = "service=test\\+registry&scope=repository%3Aprivate%2Fimage%3Apull&account=user";
        assert.equal(asked.length, 1);
        assert.match(asked[0] ?? "", new RegExp(`^GET /token\\?${query} Basic `));
      } finally {
        await front.close();
      }
    });

    test("Bearer: an expired token is replaced in the middle of a pull", async () => {
      const { answer, asked } = tokenServer({ uses: 1 });
      const front = await startFront(registry.host, answer);
      try {
        const { image } = await fresh(front.host, { auth: { username: "user", password: "right" } });
        assert.equal(image.layers.length, 1);
        assert.ok(asked.length > 1);
      } finally {
        await front.close();
      }
    });

    test("Bearer: an identity token is exchanged, a registry token used as it is", async () => {
      const { answer, asked } = tokenServer();
      const front = await startFront(registry.host, answer);
      try {
        await fresh(front.host, { auth: { identitytoken: "identity" } });
        assert.match(
          asked[0] ?? "",
          /^POST \/token anonymous grant_type=refresh_token&client_id=sampan&refresh_token=identity&service=test\+registry/,
        );
        await fresh(front.host, { auth: { registrytoken: "token-1" } });
        assert.equal(asked.length, 1);
      } finally {
        await front.close();
      }
    });

    test("Bearer: refused credentials are an error that says so", async () => {
      const { answer } = tokenServer();
      const front = await startFront(registry.host, answer);
      try {
        await assert.rejects(fresh(front.host, { auth: { username: "user", password: "wrong" } }), {
          kind: "denied",
          message: /get a token from/,
        });
      } finally {
        await front.close();
      }
    });

    test("credentials do not follow a redirect to another host", async () => {
      const elsewhere: (string | undefined)[] = [];
      const storage = await startFront(registry.host, async ({ headers, forward }) => {
        elsewhere.push(headers.authorization);
        return forward();
      });
      const { answer } = tokenServer();
      const front = await startFront(registry.host, async (request) => {
        if (!request.path.includes("/blobs/")) return answer(request);
        assert.match(request.headers.authorization ?? "", /^Bearer token-/);
        return plain(307, {}, { location: `http://${storage.host}${request.path}` });
      });
      try {
        await fresh(front.host, { auth: { username: "user", password: "right" } });
        assert.deepEqual(elsewhere, [undefined, undefined]);
      } finally {
        await Promise.all([front.close(), storage.close()]);
      }
    });

    test("mirrors are asked first, without credentials, and passed over when they fail", async () => {
      const front = await startFront(registry.host, ({ headers, forward }) => {
        assert.equal(headers.authorization, undefined);
        return forward();
      });
      const lacking = await startFront(registry.host, async () => plain(404));
      const dead = `127.0.0.1:${await freePort()}`;
      const mirrored = new ImageBox({ mirrors: { "docker.io": [dead, lacking.host, front.host] } });
      try {
        const { image } = await mirrored.pull(name, { auth: { username: "user", password: "secret" } });
        assert.deepEqual(image.names, [name]);
        assert.ok(lacking.seen.length > 0 && front.seen.length > 0);
      } finally {
        await Promise.all([front.close(), lacking.close()]);
        await mirrored.close();
      }
    });

    test("TLS is found on loopback; elsewhere an unknown certificate is refused", async () => {
      const { key, cert } = await selfSigned(join(box.directory, "tls"), "IP:127.0.0.1");
      const front = await startFront(registry.host, ({ forward }) => forward());
      const server = createServer({ key: key.pem, cert: cert.pem }, (request, response) => {
        fetch(`http://${front.host}${request.url}`, {
          method: request.method ?? "GET",
          headers: { accept: request.headers.accept ?? "" },
        })
          .then(async (answer) => {
            const type = answer.headers.get("content-type") ?? "";
            response.writeHead(answer.status, { "content-type": type }).end(Buffer.from(await answer.arrayBuffer()));
          })
          .catch(() => response.destroy());
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const address = server.address();
      const host = `127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
      const core = httpCore();
      try {
        assert.equal((await fresh(host)).image.layers.length, 1);
        const request = { method: "GET", url: new URL(`https://${host}/v2/`), headers: {}, insecure: false } as const;
        await assert.rejects(core.send(request), {
          kind: "unavailable",
          message: /DEPTH_ZERO_SELF_SIGNED_CERT: self-signed certificate/,
        });
      } finally {
        core.close();
        server.closeAllConnections();
        server.close();
        await front.close();
      }
    });
  },
);
