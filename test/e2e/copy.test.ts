import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { before, suite, test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { docker, dockerOf } from "../support/docker.ts";
import { busybox, tar } from "../support/images.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });

const { ok, refused } = dockerOf(box);

const here = (...path: string[]) => join(box.directory, "files", ...path);

function pathStat(header: unknown): Record<string, unknown> {
  return JSON.parse(Buffer.from(String(header), "base64").toString());
}

/** The names in an archive. */
function listed(archive: Buffer): string[] {
  return execFileSync("tar", ["-tf", "-"], { input: archive }).toString().trim().split("\n");
}

suite("files of containers", requires("docker", "busybox", "tar"), () => {
  before(async () => {
    await box.load(await busybox(), "busybox");
    mkdirSync(here("tree/sub"), { recursive: true });
    writeFileSync(here("tree/a"), "a\n");
    writeFileSync(here("tree/sub/b"), "b\n");
    linkSync(here("tree/a"), here("tree/hard"));
    symlinkSync("sub/b", here("tree/link"));
    chmodSync(here("tree/a"), 0o4711);
    writeFileSync(here("big"), Buffer.alloc(5_000_000, "0123456789abcdef"));
  });

  for (const state of ["created", "running", "stopped"]) {
    test(`in and out of a container that is ${state}`, async () => {
      const id = await ok("create", "busybox", "sleep", "1000");
      if (state !== "created") await ok("start", id);
      if (state === "stopped") await ok("stop", "-t", "0", id);
      await ok("cp", here("tree"), `${id}:/new`);
      await ok("cp", here("tree"), `${id}:/etc`);
      await ok("cp", `${here("tree")}/.`, `${id}:/home`);
      await ok("cp", here("big"), `${id}:/root/large`);
      for (const top of ["new", "etc/tree", "home"]) {
        await ok("cp", `${id}:/${top}`, here(`out-${state}`));
        const at = (name: string) => here(`out-${state}`, name);
        assert.equal(readFileSync(at("sub/b"), "utf8"), "b\n");
        assert.equal(readlinkSync(at("link")), "sub/b");
        assert.equal(lstatSync(at("hard")).ino, lstatSync(at("a")).ino);
        assert.equal(lstatSync(at("a")).mode & 0o7777, 0o4711);
        execFileSync("rm", ["-r", here(`out-${state}`)]);
      }
      await ok("cp", `${id}:/root/large`, here("large"));
      assert.ok(readFileSync(here("large")).equals(readFileSync(here("big"))));
      await ok("cp", `${id}:/etc/tree/link`, here("copied"));
      assert.equal(readlinkSync(here("copied")), "sub/b");
      await ok("cp", "-L", `${id}:/etc/tree/link`, here("followed"));
      assert.equal(readFileSync(here("followed"), "utf8"), "b\n");
      execFileSync("rm", [here("copied"), here("followed"), here("large")]);
      await refused(/Could not find the file \/nosuch in container/, "cp", `${id}:/nosuch`, here("x"));
      await ok("rm", "-f", id);
    });
  }

  test("what was copied in is what the process sees", async () => {
    const id = await ok("create", "busybox", "sh", "-c", "cat /tmp/a; stat -c '%a %u:%g' /tmp/a; ls /tmp/sub");
    await ok("cp", `${here("tree")}/.`, `${id}:/tmp`);
    assert.equal(await ok("start", "-a", id), "a\n4711 0:0\nb");
    await ok("rm", id);
  });

  test("by - as tar in both directions", async () => {
    const id = await ok("create", "busybox", "true");
    const archive = await tar([{ name: "one/two", body: "2", uid: 5, gid: 6, mode: 0o640 }]);
    const put = await docker(box, ["cp", "-", `${id}:/var`], { input: archive });
    assert.equal(put.status, 0, put.stderr);
    const got = await docker(box, ["cp", `${id}:/var/one`, "-"], { encoding: "latin1" } as never);
    assert.equal(got.status, 0, got.stderr);
    assert.deepEqual(listed(Buffer.from(got.stdout, "latin1")), ["one/", "one/two"]);
    await ok("rm", id);
  });

  test("volumes and binds are seen at their place, and read-only ones are not written", async () => {
    mkdirSync(here("bound"));
    const mounts = ["-v", "vol:/vol", "-v", `${here("bound")}:/bound`, "-v", "vol:/vol-ro:ro"];
    const id = await ok("create", ...mounts, "--read-only", "busybox", "sleep", "1000");
    for (const action of ["start", "stop"]) {
      await ok("cp", here("tree/a"), `${id}:/vol/${action}`);
      await ok("cp", here("tree/a"), `${id}:/bound/${action}`);
      assert.equal(readFileSync(here("bound", action), "utf8"), "a\n");
      await ok("cp", `${id}:/vol-ro/${action}`, here("back"));
      await refused(/mounted volume is marked read-only/, "cp", here("tree/a"), `${id}:/vol-ro/x`);
      await refused(/container rootfs is marked read-only/, "cp", here("tree/a"), `${id}:/etc/x`);
      await ok(action, ...(action === "stop" ? ["-t", "0"] : []), id);
    }
    await ok("rm", "-f", id);
    await ok("volume", "rm", "vol");
  });

  test("links are the container's: they lead nowhere outside", async () => {
    writeFileSync(join(box.directory, "secret"), "secret\n");
    const links = `ln -s ${box.directory} /out; ln -s /proc/1/root /magic; ln -s ../../../.. /up; sleep 1000`;
    const id = await ok("run", "-d", "--pid", "host", "busybox", "sh", "-c", links);
    await ok("exec", id, "sh", "-c", "until [ -L /up ]; do sleep 0.05; done");
    for (const action of ["running", "stopped"]) {
      await refused(/Could not find/, "cp", `${id}:/out/secret`, here("x"));
      await refused(
        /too many levels|permission denied|Could not find/,
        "cp",
        `${id}:/magic${box.directory}/secret`,
        here("x"),
      );
      await refused(/Could not find/, "cp", `${id}:/up${box.directory}/secret`, here("x"));
      const { status } = await docker(box, ["cp", here("tree/a"), `${id}:/magic${box.directory}/written`]);
      assert.notEqual(status, 0);
      assert.ok(!existsSync(join(box.directory, "written")));
      const archive = await tar([
        { name: "jump", type: "symlink", linkname: `/magic${box.directory}` },
        { name: "jump/written", body: "x" },
      ]);
      const put = await box.api("PUT", `/containers/${id}/archive?path=/tmp`, archive);
      assert.notEqual(put.status, 200);
      assert.ok(!existsSync(join(box.directory, "written")));
      if (action === "running") await ok("stop", "-t", "0", id);
    }
    await ok("rm", "-f", id);
  });

  test("archives that try to leave, hard links, devices, replacing, owners", async () => {
    const id = await ok("create", "--user", "tester", "busybox", "sleep", "1000");
    const put = async (entries: Parameters<typeof tar>[0], query = "") => {
      const { status, json } = await box.api("PUT", `/containers/${id}/archive?path=/tmp${query}`, await tar(entries));
      return [status, (json as { message?: string } | undefined)?.message ?? ""] as const;
    };
    assert.deepEqual(await put([{ name: "../../escaped", body: "x" }]), [400, 'invalid entry name "../../escaped"']);
    const outside = await put([{ name: "l", type: "link", linkname: "../etc/passwd" }]);
    assert.deepEqual(outside, [400, 'invalid hardlink target "../etc/passwd"']);
    assert.equal((await put([{ name: "/abs/./x/../file", body: "abs" }]))[0], 200);
    assert.equal((await put([{ name: "abs/link", type: "link", linkname: "abs/file" }]))[0], 200);
    assert.equal(
      (await put([{ name: "null", type: "character-device", devmajor: 1, devminor: 3, mode: 0o600 }]))[0],
      200,
    );
    assert.equal((await put([{ name: "pipe", type: "fifo" }]))[0], 200);
    assert.equal((await put([{ name: "file", body: "1" }]))[0], 200);
    assert.equal((await put([{ name: "file", body: "22", mode: 0o600, uid: 7 }]))[0], 200);
    const strict = "&noOverwriteDirNonDir=1";
    assert.match(
      (await put([{ name: "abs", body: "x" }], strict))[1],
      /^cannot overwrite directory "abs" with non-directory "\/tmp"/,
    );
    assert.match((await put([{ name: "file", type: "directory" }], strict))[1], /^cannot overwrite non-directory/);
    assert.equal((await put([{ name: "abs", body: "now a file" }]))[0], 200);
    assert.equal((await put([{ name: "owned", body: "x", uid: 7 }], "&copyUIDGID=1"))[0], 200);
    const bad = await box.api("PUT", `/containers/${id}/archive?path=/etc/passwd`, await tar([]));
    assert.deepEqual([bad.status, bad.json], [400, { message: "extraction point is not a directory" }]);
    const missing = await box.api("PUT", `/containers/${id}/archive?path=/no`, await tar([]));
    assert.deepEqual(missing.json, { message: `Could not find the file /no in container ${id}` });
    assert.equal((await box.api("PUT", `/containers/${id}/archive?path=/tmp`, "no archive")).status, 400);
    assert.equal((await box.api("PUT", `/containers/${id}/archive`, await tar([]))).status, 400);
    assert.equal(
      (await box.api("PUT", `/containers/${id}/archive?path=/tmp`, gzipSync(await tar([{ name: "z", body: "z" }]))))
        .status,
      200,
    );
    await ok("start", id);
    const script = "cd /tmp; stat -c '%n %F %a %u:%g %t,%T' abs file null pipe owned; cat abs z";
    assert.deepEqual((await ok("exec", id, "sh", "-c", script)).split("\n"), [
      "abs regular file 644 0:0 0,0",
      "file regular file 600 7:0 0,0",
      "null character special file 600 0:0 1,3",
      "pipe fifo 644 0:0 0,0",
      "owned regular file 644 1000:1000 0,0",
      "now a filez",
    ]);
    await ok("rm", "-f", id);
  });

  test("extended attributes and holes come through", async () => {
    const id = await ok("create", "busybox", "sh", "-c", "du -k /sparse; stat -c %s /sparse");
    const pax = { "SCHILY.xattr.user.note": "kept", "SCHILY.xattr.trusted.overlay.opaque": "y" };
    const put = await tar([{ name: "noted", body: "x", pax }]);
    assert.equal((await box.api("PUT", `/containers/${id}/archive?path=/`, put)).status, 200);
    const back = (await fetchRaw(id, "/noted")).body.toString("latin1");
    assert.match(back, /SCHILY\.xattr\.user\.note=kept\n/);
    assert.doesNotMatch(back, /trusted/);
    writeFileSync(here("sparse"), "begin");
    execFileSync("truncate", ["-s", "50M", here("sparse")]);
    const holes = execFileSync("tar", ["-C", here(), "-cSf", "-", "sparse"]);
    assert.ok(holes.length < 20_000);
    assert.equal((await box.api("PUT", `/containers/${id}/archive?path=/`, holes)).status, 200);
    const [usage = "", size] = (await ok("start", "-a", id)).split("\n");
    assert.ok(Number.parseInt(usage, 10) < 100, usage);
    assert.equal(size, String(50 * 1024 * 1024));
    await ok("rm", id);
  });

  test("HEAD and GET: the header, gzip, names after the path", async () => {
    const id = await ok("create", "busybox", "true");
    await ok("cp", here("tree"), `${id}:/tree`);
    const head = async (path: string) =>
      pathStat(
        (await box.api("HEAD", `/containers/${id}/archive?path=${path}`)).headers["x-docker-container-path-stat"],
      );
    const { mtime, ...a } = await head("/tree/a");
    assert.deepEqual(a, { name: "a", size: 2, mode: 0o711 + 2 ** 23, linkTarget: "" });
    assert.match(String(mtime), /^\d{4}-.*Z$/);
    assert.deepEqual(
      [(await head("/tree/link")).mode, (await head("/tree/link")).linkTarget],
      [0o777 + 2 ** 27, "/tree/sub/b"],
    );
    assert.deepEqual([(await head("/tree")).name, (await head("/tree")).mode], ["tree", 0o755 + 2 ** 31]);
    assert.equal((await head("/")).name, "/");
    assert.equal((await box.api("HEAD", `/containers/${id}/archive?path=/nosuch`)).status, 404);
    assert.equal((await box.api("GET", `/containers/${id}/archive`)).status, 400);
    const get = async (path: string, encoding?: string) => {
      const response = await fetchRaw(id, path, encoding);
      return {
        names: listed(encoding === "gzip" ? gunzipSync(response.body) : response.body),
        headers: response.headers,
      };
    };
    assert.deepEqual((await get("/tree")).names, [
      "tree/",
      "tree/a",
      "tree/hard",
      "tree/link",
      "tree/sub/",
      "tree/sub/b",
    ]);
    assert.deepEqual((await get("/tree/.")).names.slice(0, 2), ["./", "./a"]);
    assert.deepEqual((await get("/tree/a")).names, ["a"]);
    const zipped = await get("/tree/sub", "gzip");
    assert.deepEqual([zipped.names, zipped.headers["content-encoding"]], [["sub/", "sub/b"], "gzip"]);
    await ok("rm", id);
  });

  test("export: the whole root file system without volumes and the kernel's", async () => {
    const id = await ok(
      "run",
      "-d",
      "-v",
      "exported:/vol",
      "busybox",
      "sh",
      "-c",
      "echo 1 > /vol/f; echo 2 > /made; rm /etc/group; sleep 1000",
    );
    for (const action of ["stop", "rm"]) {
      await ok("export", "-o", here("export.tar"), id);
      const names = listed(readFileSync(here("export.tar")));
      for (const name of ["made", "vol/", "bin/busybox", ".dockerenv", "proc/", "etc/hosts", "dev/"])
        assert.ok(names.includes(name), name);
      for (const name of ["vol/f", "etc/group", "proc/1/", "dev/null"]) assert.ok(!names.includes(name), name);
      await ok(action, ...(action === "stop" ? ["-t", "0"] : []), id);
    }
    await ok("volume", "rm", "exported");
  });

  test("diff", async () => {
    const script = "echo x > /etc/new; rm /etc/group; echo y >> /etc/passwd; mkdir -p /d/e; rm -r /home; mkdir /home";
    const id = await ok("run", "-d", "busybox", "sh", "-c", `${script}; touch /tmp/t; sleep 1000`);
    const wanted = ["C /etc", "D /etc/group", "A /etc/new", "C /etc/passwd"];
    const all = ["A /d", "A /d/e", ...wanted, "C /home", "D /home/tester", "C /tmp", "A /tmp/t"];
    await ok("exec", id, "sh", "-c", "until [ -e /tmp/t ]; do sleep 0.05; done");
    assert.deepEqual((await ok("diff", id)).split("\n"), all);
    await ok("stop", "-t", "0", id);
    assert.deepEqual((await ok("diff", id)).split("\n"), all);
    assert.deepEqual((await box.api("GET", `/containers/${await ok("create", "busybox")}/changes`)).json, null);
    await box.clear();
  });
});

function fetchRaw(
  id: string,
  path: string,
  encoding?: string,
): Promise<{ body: Buffer; headers: NodeJS.Dict<unknown> }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ body: Buffer; headers: NodeJS.Dict<unknown> }>();
  import("node:http").then(({ request }) => {
    const headers = encoding === undefined ? {} : { "Accept-Encoding": encoding };
    const options = { socketPath: box.layout.apiSocket, path: `/containers/${id}/archive?path=${path}`, headers };
    request(options, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      resolve({ body: Buffer.concat(chunks), headers: response.headers });
    })
      .on("error", reject)
      .end();
  });
  return promise;
}
