import assert from "node:assert/strict";
import { createServer } from "node:http";
import { before, suite, test } from "node:test";
import { busybox, dockerArchive } from "../support/images.ts";
import { requires, requiresRoot } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });

suite("routes that no command line asks for alone", { ...requires("busybox"), ...requiresRoot() }, () => {
  before(async () => {
    const { status, stderr } = await box.run(["load"], { input: await dockerArchive(await busybox(), ["busybox"]) });
    assert.equal(status, 0, stderr);
    await box.ok("tag", "busybox", "second");
  });

  test("several images in one archive", async () => {
    const { status, headers, text } = await box.api("GET", "/images/get?names=busybox&names=second:latest");
    assert.deepEqual([status, headers["content-type"]], [200, "application/x-tar"]);
    assert.match(
      text,
      /"RepoTags":\["busybox:latest","second:latest"\]|"RepoTags":\["second:latest","busybox:latest"\]/,
    );
    const missing = await box.api("GET", "/images/get?names=busybox&names=nosuch");
    assert.equal(missing.status, 404);
    const other = encodeURIComponent(JSON.stringify({ os: "linux", architecture: "s390x" }));
    const { status: refused, json } = await box.api("GET", `/images/get?names=busybox&platform=${other}`);
    assert.deepEqual([refused, /linux\/s390x/.test((json as { message: string }).message)], [404, true]);
  });

  test("networks, with a slash at the end, too", async () => {
    const { json: plain } = await box.api("GET", "/networks");
    const { status, json } = await box.api("GET", "/networks/");
    assert.equal(status, 200);
    assert.deepEqual(json, plain);
  });

  test("credentials are tried at the registry", async () => {
    const right = `Basic ${Buffer.from("me:secret").toString("base64")}`;
    const registry = createServer(({ headers }, response) => {
      const known = headers.authorization === right;
      if (!known) response.setHeader("www-authenticate", 'Basic realm="test"');
      response.writeHead(known ? 200 : 401).end("{}");
    });
    await new Promise<void>((resolve) => registry.listen(0, "127.0.0.1", resolve));
    const address = registry.address();
    const serveraddress = `127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
    try {
      const good = await box.api("POST", "/auth", { username: "me", password: "secret", serveraddress });
      assert.deepEqual([good.status, (good.json as { Status: string }).Status], [200, "Login Succeeded"]);
      const bad = await box.api("POST", "/auth", { username: "me", password: "wrong", serveraddress });
      assert.equal(bad.status, 403, bad.text);
    } finally {
      registry.close();
    }
  });
});
