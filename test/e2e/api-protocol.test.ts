import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { hostPlatform } from "../../src/images/platform.ts";
import { busybox, dockerArchive } from "../support/images.ts";
import { eventually } from "../support/process.ts";
import { framesOf, RawConnection, rawRequest } from "../support/raw-http.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });

function message(json: unknown): string {
  const { message } = json as { message: string };
  assert.equal(typeof message, "string", JSON.stringify(json));
  return message;
}

/** Creates a container; its id. */
async function create(cmd: readonly string[], more: object = {}, query = ""): Promise<string> {
  const { status, json, text } = await box.api("POST", `/containers/create${query}`, {
    Image: "busybox",
    Cmd: cmd,
    ...more,
  });
  assert.equal(status, 201, text);
  return (json as { Id: string }).Id;
}

async function call(method: string, path: string, wanted: number): Promise<unknown> {
  const { status, json, text } = await box.api(method, path);
  assert.equal(status, wanted, `${method} ${path}: ${text}`);
  return json;
}

suite("the API's protocol", requires("busybox"), () => {
  before(async () => {
    const archive = await dockerArchive(await busybox(), ["busybox:latest"]);
    const { status, text } = await box.api("POST", "/images/load", archive);
    assert.deepEqual([status, text], [200, '{"stream":"Loaded image: busybox:latest\\n"}\r\n']);
  });

  test("ping tells all that clients negotiate by", async () => {
    for (const path of ["/_ping", "/v1.24/_ping"]) {
      const { status, headers, text } = await box.api("GET", path);
      assert.deepEqual([status, text, headers["api-version"], headers.ostype], [200, "OK", "1.51", "linux"]);
      assert.equal(headers["docker-experimental"], "false");
      assert.equal(headers["cache-control"], "no-cache, no-store, must-revalidate");
      assert.equal(headers.swarm, "inactive");
      assert.ok(headers["builder-version"]);
      assert.match(String(headers.server), /^Sampan\/.* \(linux\)$/);
    }
    const head = await box.api("HEAD", "/_ping");
    assert.deepEqual([head.status, head.text, head.headers["content-length"]], [200, "", "0"]);
  });

  test("every answer has the version headers, refusals too", async () => {
    for (const path of ["/version", "/containers/nosuch/json", "/nosuch", "/v1.99/info"]) {
      const { headers } = await box.api("GET", path);
      assert.deepEqual([headers["api-version"], headers.ostype], ["1.51", "linux"], path);
    }
  });

  test("versions that are not spoken are refused in words that SDKs match", async () => {
    const young = await box.api("GET", "/v1.52/info");
    assert.equal(young.status, 400);
    assert.equal(message(young.json), "client version 1.52 is too new. Maximum supported API version is 1.51");
    const old = await box.api("GET", "/v1.23/info");
    assert.equal(old.status, 400);
    assert.match(
      message(old.json),
      /^client version 1\.23 is too old\. Minimum supported API version is 1\.24, please/,
    );
  });

  test("what nobody knows is 404, what is not there yet 501 and says so", async () => {
    for (const [method, path] of [
      ["GET", "/nosuch"],
      ["GET", "/v1.44/"],
      ["POST", "/info"],
      ["GET", "/containers/a/attach"],
      ["GET", "/images/busybox/attestations"],
      ["PUT", "/containers/a/json"],
    ] as const) {
      assert.equal(message(await call(method, path, 404)), "page not found", path);
    }
    const notYet = /does not do that yet/;
    for (const [method, path, says] of [
      ["POST", "/build/cancel", /builds end when/],
      ["GET", "/containers/any/checkpoints", notYet],
      ["POST", "/containers/any/checkpoints", notYet],
      ["DELETE", "/containers/any/checkpoints/one", notYet],
    ] as const) {
      assert.match(message(await call(method, path, 501)), says, path);
    }
    for (const path of ["/session", "/grpc"]) {
      assert.equal(message(await call("POST", path, 400)), "no upgrade proto in request");
    }
    assert.match(message(await call("GET", "/services", 503)), /^This node is not a swarm manager\./);
    assert.deepEqual(await call("GET", "/plugins", 200), []);
    assert.deepEqual(await call("GET", "/volumes", 200), { Volumes: [], Warnings: null });
    const networks = (await call("GET", "/networks", 200)) as { Name: string }[];
    assert.deepEqual(networks.map(({ Name }) => Name).sort(), ["host", "none"]);
  });

  test("malformed JSON is 400 wherever JSON is read", async () => {
    const id = await create(["true"]);
    const paths = ["/containers/create", `/containers/${id}/exec`, "/exec/x/start", "/auth", "/sampan/explain"];
    for (const path of paths) {
      for (const body of [
        "{bad",
        "[]",
        '"x"',
        '{"Cmd":5,"Tty":"yes","username":{}}',
        "{} {}",
        "\u0000",
        "{".repeat(10_000),
      ]) {
        const { status, json } = await box.api("POST", path, body);
        assert.equal(status, 400, `${path} ${body.slice(0, 20)}`);
        message(json);
      }
    }
    await call("DELETE", `/containers/${id}`, 204);
  });

  test("routes that read no JSON are not troubled by it", async () => {
    for (const [method, path] of [
      ["GET", "/_ping"],
      ["GET", "/info"],
      ["GET", "/containers/json"],
      ["POST", "/containers/nosuch/stop"],
      ["POST", "/containers/nosuch/kill"],
      ["POST", "/containers/nosuch/wait"],
      ["DELETE", "/containers/nosuch"],
      ["DELETE", "/images/nosuch"],
    ] as const) {
      const { status } = await box.api(method, path, "{bad", { "content-length": "4" });
      assert.ok(status === 200 || status === 404, `${method} ${path}: ${status}`);
    }
    assert.ok(await box.ping());
  });

  test("a body must say that it is JSON", async () => {
    const { status, json } = await box.api("POST", "/containers/create", "{}", { "content-type": "text/plain" });
    assert.equal(status, 400);
    assert.equal(message(json), "unsupported Content-Type header (text/plain): must be 'application/json'");
  });

  test("bodies have bounds, and the connection still answers", async () => {
    const { status, json } = await box.api("POST", "/containers/create", `{"Image":"${"x".repeat(9 << 20)}"}`);
    assert.equal(status, 400);
    assert.match(message(json), /larger than/);
    assert.ok(await box.ping());
  });

  test("headers may be larger than Node lets them by default", async () => {
    const credentials = Buffer.from(JSON.stringify({ identitytoken: "x".repeat(60_000) })).toString("base64url");
    const { status } = await box.api("GET", "/_ping", undefined, { "X-Registry-Auth": credentials });
    assert.equal(status, 200);
  });

  test("parameters that make no sense are 400", async () => {
    for (const path of [
      "/containers/json?limit=x",
      "/containers/json?filters=x",
      "/containers/json?filters=%7B%22bad%22:[%22x%22]%7D",
      "/images/json?filters=%7B%22bad%22:[%22x%22]%7D",
      "/containers/%zz/json",
      "/events?since=x",
      "/events?filters=x",
    ]) {
      message(await call("GET", path, 400));
    }
    assert.equal(message(await call("POST", "/containers/x/wait?condition=bad", 400)), 'invalid condition: "bad"');
    assert.equal(
      message(await call("POST", "/containers/x/resize?h=a&w=1", 400)),
      'invalid resize height "a": invalid syntax',
    );
  });

  test("bytes that make no sense do no harm", async () => {
    const good = rawRequest("POST", "/v1.44/containers/create?name=fuzz", [], '{"Image":"nosuch","Cmd":["a"]}');
    let seed = 12345;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return seed % below;
    };
    for (let i = 0; i < 150; i++) {
      const bytes = Buffer.from(good);
      for (let n = 0; n <= random(8); n++) bytes[random(bytes.length)] = random(256);
      const connection = await RawConnection.open(box.layout.apiSocket);
      connection.send(bytes);
      connection.closeInput();
      await eventually("it answers or hangs up", () => connection.received !== "" || connection.socket.readableEnded);
      assert.doesNotMatch(connection.received, /^HTTP\/1\.1 5/, JSON.stringify(bytes.toString("latin1")));
      connection.close();
    }
    assert.ok(await box.ping());
  });

  test("unknown members and parameters are ignored", async () => {
    const id = await create(["true"], { Feathers: 3, HostConfig: { Wings: 2 } }, "?colour=red");
    await call("DELETE", `/containers/${id}?loudly=1`, 204);
  });

  test("wait sends its header at once and its body at the end", async () => {
    const id = await create(["sh", "-c", "read x; exit 5"], { OpenStdin: true });
    const connection = await RawConnection.open(box.layout.apiSocket);
    connection.send(rawRequest("POST", `/containers/${id}/wait?condition=next-exit`));
    assert.match(await connection.header(), /^HTTP\/1\.1 200 OK\r\n/);
    await call("POST", `/containers/${id}/start`, 204);
    await call("POST", `/containers/${id}/start`, 304);
    assert.equal(connection.body.length, 0);
    await call("POST", `/containers/${id}/kill?signal=TERM`, 204);
    await call("POST", `/containers/${id}/kill`, 204);
    await connection.until("the body comes", () => connection.received.includes('{"StatusCode":137}'));
    connection.close();
    await call("POST", `/containers/${id}/stop`, 304);
    assert.deepEqual(await call("POST", `/containers/${id}/wait`, 200), { StatusCode: 137 });
    await call("DELETE", `/containers/${id}`, 204);
    assert.match(message(await call("POST", `/containers/${id}/wait`, 404)), /^No such container: /);
  });

  test("whoever waits for a container that has removed itself is told how it ended", async () => {
    const body = { Image: "busybox", Cmd: ["sh", "-c", "exit 7"], HostConfig: { AutoRemove: true } };
    const { json } = await box.api("POST", "/containers/create", body);
    const { Id } = json as { Id: string };
    assert.equal((await box.api("POST", `/containers/${Id}/start`)).status, 204);
    await eventually("it is gone", async () => (await box.api("GET", `/containers/${Id}/json`)).status === 404);
    for (const condition of ["", "?condition=removed", "?condition=next-exit"]) {
      const { status, json: result } = await box.api("POST", `/containers/${Id}/wait${condition}`);
      assert.deepEqual([status, result], [200, { StatusCode: 7 }], condition);
    }
  });

  test("create reads platforms by every name, and refuses what is none", async () => {
    const architecture = hostPlatform().architecture;
    const alias = { amd64: "x86_64", arm64: "aarch64" }[architecture] ?? architecture;
    for (const platform of [architecture, alias, `linux/${alias}`, "linux"]) {
      const id = await create(["true"], {}, `?platform=${platform}`);
      await call("DELETE", `/containers/${id}`, 204);
    }
    const refused = await box.api("POST", "/containers/create?platform=a/b/c/d", { Image: "busybox" });
    assert.equal(refused.status, 400);
    assert.match(message(refused.json), /a\/b\/c\/d/);
  });

  for (const condition of ["removed", "next-exit"]) {
    test(`wait for ${condition} tells nothing but the status of a container that could not be started`, async () => {
      const id = await create(["nosuch"], { HostConfig: { AutoRemove: true } });
      const waiting = box.api("POST", `/containers/${id}/wait?condition=${condition}`);
      const refused = await box.api("POST", `/containers/${id}/start`);
      assert.equal(refused.status, 400);
      const { status, text } = await waiting;
      assert.deepEqual([status, text], [200, '{"StatusCode":127}\n']);
    });
  }

  test("wait for removal ends after --rm has removed", async () => {
    const id = await create(["true"], { HostConfig: { AutoRemove: true } });
    const waiting = box.api("POST", `/containers/${id}/wait?condition=removed`);
    await call("POST", `/containers/${id}/start`, 204);
    assert.deepEqual((await waiting).json, { StatusCode: 0 });
    await call("GET", `/containers/${id}/json`, 404);
  });

  test("logs come framed, by stream, line and time", async () => {
    // Each line waits until the one before is kept: which of two streams is read first is nobody's promise.
    const after = (line: string) => `until [ -e /${line} ]; do sleep 0.05; done`;
    const script = `echo one; ${after("one")}; echo two >&2; ${after("two")}; echo three`;
    const id = await create(["sh", "-c", script]);
    const ended = box.api("POST", `/containers/${id}/wait?condition=next-exit`);
    await call("POST", `/containers/${id}/start`, 204);
    for (const line of ["one", "two"]) {
      const kept = async () => (await box.api("GET", `/containers/${id}/logs?stdout=1&stderr=1`)).text.includes(line);
      await eventually(`${line} is kept`, kept);
      await box.ok("exec", id, "touch", `/${line}`);
    }
    await ended;
    const logs = async (query: string, version = ""): Promise<{ out: string; err: string; type: string }> => {
      const { headers, text } = await box.api("GET", `${version}/containers/${id}/logs?${query}`);
      return { ...framesOf(Buffer.from(text)), type: String(headers["content-type"]) };
    };
    const multiplexed = "application/vnd.docker.multiplexed-stream";
    assert.deepEqual(await logs("stdout=1&stderr=1"), { out: "one\nthree\n", err: "two\n", type: multiplexed });
    assert.deepEqual(await logs("stderr=1"), { out: "", err: "two\n", type: multiplexed });
    assert.equal((await logs("stdout=1&follow=1&tail=1")).out, "three\n");
    assert.equal((await logs("stdout=1&follow=1&tail=2")).out, "three\n", "lines of the other stream are counted");
    assert.equal((await logs("stdout=1", "/v1.41")).type, "application/vnd.docker.raw-stream");
    assert.match((await logs("stdout=1&timestamps=1")).out, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z one\n/);
    assert.equal((await logs(`stdout=1&since=${Math.floor(Date.now() / 1000) + 60}`)).out, "");
    assert.match(message(await call("GET", `/containers/${id}/logs`, 400)), /you must choose at least one stream/);
    await call("DELETE", `/containers/${id}`, 204);
  });

  test("who reads slowly, or not at all, costs no memory", async () => {
    const id = await create(["sh", "-c", "head -c 60000000 /dev/zero | tr '\\0' 'x'"]);
    const ended = box.api("POST", `/containers/${id}/wait?condition=next-exit`);
    await call("POST", `/containers/${id}/start`, 204);
    await ended;
    const memory = (): number => Number(/VmRSS:\s+(\d+)/.exec(statusOf(box.pid))?.[1]);
    const before = memory();
    const readers: RawConnection[] = [];
    for (let i = 0; i < 5; i++) {
      const reader = await RawConnection.open(box.layout.apiSocket);
      reader.socket.pause();
      reader.send(rawRequest("GET", `/containers/${id}/logs?stdout=1&follow=1`));
      readers.push(reader);
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
    assert.ok(memory() - before < 50_000, `grew by ${memory() - before} kB`);
    for (const reader of readers) reader.close();
    await call("DELETE", `/containers/${id}`, 204);
  });

  test("events are told as they happen, and remembered", async () => {
    const since = Math.floor(Date.now() / 1000);
    const connection = await RawConnection.open(box.layout.apiSocket);
    const filters = encodeURIComponent('{"type":["container"]}');
    connection.send(rawRequest("GET", `/events?filters=${filters}`));
    assert.match(await connection.header(), /Content-Type: application\/json\r\n/);
    const id = await create(["true"], { Labels: { tier: "front" } }, "?name=eventful");
    await call("POST", `/containers/${id}/start`, 204);
    await connection.until("it dies", () => connection.received.includes('"Action":"die"'));
    await call("DELETE", `/containers/${id}`, 204);
    await connection.until("it is gone", () => connection.received.includes('"Action":"destroy"'));
    connection.close();
    const until = Math.ceil(Date.now() / 1000);
    const { text } = await box.api("GET", `/events?since=${since}&until=${until}&filters=${filters}`);
    const events = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
      .filter((event) => event.Actor.ID === id);
    const actions = events.map(({ Action }) => Action).filter((action) => !String(action).startsWith("exec"));
    assert.deepEqual(actions, ["create", "start", "die", "destroy"]);
    const [, started] = events;
    assert.deepEqual([started.status, started.id, started.from], ["start", id, "busybox"]);
    assert.deepEqual([started.Actor.Attributes.name, started.Actor.Attributes.tier], ["eventful", "front"]);
    assert.match(text, /"timeNano":\d{19}\}/);
  });

  test("a client of 1.24 finds what it knows", async () => {
    const { json } = await box.api("POST", "/v1.24/containers/create", {
      Image: "busybox",
      Cmd: "true",
      HostConfig: { AutoRemove: true, ConsoleSize: [3, 4] },
    });
    const { Id: id } = json as { Id: string };
    const inspect = (await call("GET", `/v1.24/containers/${id}/json`, 200)) as {
      HostConfig: { AutoRemove: boolean; IpcMode: string; ConsoleSize: number[] };
    };
    assert.equal(inspect.HostConfig.AutoRemove, false);
    assert.deepEqual(inspect.HostConfig.ConsoleSize, [0, 0]);
    await call("POST", `/v1.24/containers/${id}/start`, 204);
    assert.deepEqual(await call("POST", `/v1.24/containers/${id}/wait`, 200), { StatusCode: 0 });
    await call("DELETE", `/v1.24/containers/${id}`, 204);
    const images = (await call("GET", "/v1.24/images/json", 200)) as { VirtualSize: number; Size: number }[];
    assert.ok(images.every(({ VirtualSize, Size }) => VirtualSize === Size));
    const image = (await call("GET", "/v1.24/images/busybox/json", 200)) as object;
    assert.ok("ContainerConfig" in image);
  });

  test("start takes no configuration any more", async () => {
    const id = await create(["true"]);
    const { status, json } = await box.api("POST", `/containers/${id}/start`, { Binds: ["/:/host"] });
    assert.equal(status, 400);
    assert.match(message(json), /^starting container with non-empty request body/);
    assert.equal((await box.api("POST", `/containers/${id}/start`, {})).status, 204);
    await eventually("it ends", async () => (await box.api("DELETE", `/containers/${id}`)).status === 204);
  });

  test("an upload that is no image, or breaks off, is refused and forgotten", async () => {
    // Again and again on kept connections: what was not read of one must not be taken for the next, nor stop it.
    for (let i = 0; i < 40; i++) {
      const { status, json } = await box.api("POST", "/images/load", Buffer.alloc(300_000, 7));
      assert.ok(status >= 400, String(status));
      message(json);
    }
    const archive = await dockerArchive(await busybox(), ["broken:latest"]);
    const connection = await RawConnection.open(box.layout.apiSocket);
    connection.send(`POST /images/load HTTP/1.1\r\nHost: d\r\nContent-Length: ${archive.length}\r\n\r\n`);
    connection.send(archive.subarray(0, archive.length / 2));
    await new Promise((resolve) => setTimeout(resolve, 50));
    connection.close();
    assert.ok(await box.ping());
    assert.match(message(await call("GET", "/images/broken/json", 404)), /^No such image: broken:latest$/);
  });

  test("explain tells the program and starts nothing", async () => {
    const { status, json } = await box.api("POST", "/sampan/explain", { Image: "busybox", Cmd: ["true"] });
    assert.equal(status, 200);
    const { text, steps } = json as { text: string; steps: object[] };
    assert.match(text, /pivot_root|chroot/);
    assert.ok(steps.length > 50);
    assert.deepEqual(await call("GET", "/containers/json?all=1", 200), []);
  });
});

function statusOf(pid: number | undefined): string {
  return process.getBuiltinModule("node:fs").readFileSync(`/proc/${pid}/status`, "utf8");
}
