import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, suite, test } from "node:test";
import { docker, dockerOf } from "../support/docker.ts";
import { busybox, dockerArchive, tar } from "../support/images.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });

const { ok, refused } = dockerOf(box);

const mounted = () => readFileSync("/proc/self/mountinfo", "utf8").includes(box.layout.volumes);

suite("volumes", requires("docker", "busybox"), () => {
  before(async () => {
    const base = await busybox();
    const more = await tar([
      { name: "data", type: "directory", mode: 0o750, uid: 1000, gid: 1000 },
      { name: "data/sub", type: "directory" },
      { name: "data/file", body: "of the image\n", uid: 1000, mode: 0o640 },
    ]);
    const image = { ...base, layers: [...base.layers, more] };
    const { status, stderr } = await docker(box, ["load"], { input: await dockerArchive(image, ["busybox:latest"]) });
    assert.equal(status, 0, stderr);
  });

  test("create is idempotent; inspect, ls and their filters", async () => {
    assert.equal(await ok("volume", "create", "--label", "a=1", "--label", "b", "one"), "one");
    assert.equal(await ok("volume", "create", "--label", "a=2", "one"), "one");
    const [one] = JSON.parse(await ok("volume", "inspect", "one"));
    assert.deepEqual(
      { ...one, CreatedAt: "" },
      {
        CreatedAt: "",
        Driver: "local",
        Labels: { a: "1", b: "" },
        Mountpoint: join(box.layout.volumes, "one/_data"),
        Name: "one",
        Options: null,
        Scope: "local",
      },
    );
    assert.match(one.CreatedAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const anonymous = await ok("volume", "create");
    assert.match(anonymous, /^[0-9a-f]{64}$/);
    assert.equal(await ok("volume", "ls", "-q", "--filter", "label=a=1"), "one");
    assert.equal(await ok("volume", "ls", "-q", "--filter", "label=com.docker.volume.anonymous"), anonymous);
    assert.equal(await ok("volume", "ls", "-q", "--filter", "name=^on"), "one");
    assert.equal(await ok("volume", "ls", "-q", "--filter", "driver=x"), "");
    await refused(/invalid filter 'x'/, "volume", "ls", "--filter", "x=y");
    await ok("volume", "rm", "one", anonymous);
    assert.equal(await ok("volume", "ls", "-q"), "");
  });

  test("refusals in dockerd's words", async () => {
    await refused(/get nosuch: no such volume/, "volume", "inspect", "nosuch");
    await refused(/get nosuch: no such volume/, "volume", "rm", "nosuch");
    assert.equal((await box.api("DELETE", "/volumes/nosuch?force=1")).status, 204);
    await refused(/includes invalid characters for a local volume name/, "volume", "create", "a/b");
    await refused(/volume name is too short/, "volume", "create", "x");
    await refused(/plugin "foo" not found/, "volume", "create", "-d", "foo", "xx");
    await refused(/create xx: invalid option: "foo"/, "volume", "create", "-o", "foo=1", "xx");
    await refused(/create xx: missing required option: "device"/, "volume", "create", "-o", "type=tmpfs", "xx");
    assert.equal(await ok("volume", "ls", "-q"), "");
  });

  test("a volume in use stays; --rm and rm -v take those without a name", async () => {
    const id = await ok("create", "-v", "kept:/x", "-v", "/y", "busybox");
    await refused(new RegExp(`remove kept: volume is in use - \\[${id}\\]`), "volume", "rm", "kept");
    assert.equal((await ok("volume", "ls", "-q", "--filter", "dangling=false")).split("\n").length, 2);
    await ok("rm", "-v", id);
    assert.equal(await ok("volume", "ls", "-q", "--filter", "dangling=true"), "kept");
    await ok("volume", "rm", "kept");
  });

  test("a new volume is filled with what the image has there, once, unless nocopy", async () => {
    const listing = ["ls", "-ln", "/data"];
    const first = await ok("run", "--rm", "-v", "filled:/data", "busybox", ...listing);
    assert.match(first, /-rw-r-----\s+1 1000\s+0\s+13 .* file/);
    assert.match(
      await ok("run", "--rm", "-v", "filled:/data", "busybox", "stat", "-c", "%u %a", "/data"),
      /^1000 750$/,
    );
    await ok("run", "--rm", "-v", "filled:/data", "busybox", "sh", "-c", "rm -r /data/*; echo mine > /data/mine");
    assert.equal(await ok("run", "--rm", "-v", "filled:/data", "busybox", "ls", "/data"), "mine");
    const empty = ["--mount", "type=volume,src=empty,dst=/data,volume-nocopy,volume-label=k=v"];
    assert.equal(await ok("run", "--rm", ...empty, "busybox", "ls", "/data"), "");
    assert.equal(await ok("volume", "inspect", "--format", "{{.Labels}}", "empty"), "map[k:v]");
    await ok("volume", "rm", "filled", "empty");
  });

  test("whatever the image has comes into the volume as it is", async () => {
    const make = [
      "cd /data; touch \"$(printf 'no \\377 text')\"; mkfifo -m 640 fifo; mknod null c 1 3; ln -s /etc/passwd link",
      "echo x >one; ln one two; chown -h 5:6 one link; chmod 4751 one; mkdir -m 3700 deep; touch -h -d '2001-02-03 04:05' link deep",
      "mkdir -p many; for i in $(seq 300); do echo $i >many/$i; done; truncate -s 3M sparse; touch -d '2002-02-03 04:05' .",
    ];
    // Overlayfs counts no links of directories.
    const list = "find . -type d -exec stat -c '%n %F %a %u:%g %Y' {} + | sort";
    const others = "find . ! -type d -exec stat -c '%n %F %a %u:%g %h %t:%T %Y' {} + | sort";
    const seen = `cd /data; ${list}; ${others}; cat many/* | md5sum`;
    await ok("run", "--name", "made", "busybox", "sh", "-ec", `${make.join("; ")}; true`);
    await ok("commit", "made", "everything:1");
    const look = (...options: string[]) => ok("run", "--rm", ...options, "everything:1", "sh", "-c", seen);
    const expected = await look();
    assert.match(expected, /\n\.\/one regular file 4751 5:6 2 /);
    assert.equal(await look("-v", "everything:/data"), expected);
    await ok("rm", "made");
    await ok("volume", "rm", "everything");
    await ok("rmi", "everything:1");
  });

  test("prune: by default those without a name, all with -a, none that is used", async () => {
    await ok("volume", "create", "--label", "keep", "named");
    await ok("volume", "create", "other");
    const anonymous = await ok("volume", "create");
    const used = await ok("create", "-v", "used:/x", "busybox");
    assert.match(
      await ok("volume", "prune", "-f"),
      new RegExp(`Deleted Volumes:\n${anonymous}\n\nTotal reclaimed space: 0B`),
    );
    assert.match(await ok("volume", "prune", "-fa", "--filter", "label!=keep"), /Deleted Volumes:\nother\n/);
    assert.equal(await ok("volume", "ls", "-q"), "named\nused");
    const old = await box.api("POST", "/v1.41/volumes/prune");
    assert.deepEqual(old.json, { VolumesDeleted: ["named"], SpaceReclaimed: 0 });
    await ok("rm", used);
    await ok("volume", "rm", "used");
  });

  test("--mount with a subpath: its links stay inside of the volume", async () => {
    await ok(
      "run",
      "--rm",
      "-v",
      "whole:/v",
      "busybox",
      "sh",
      "-c",
      "mkdir /v/d; echo in > /v/d/f; ln -s /etc /v/out; ln -s d /v/link",
    );
    const part = (path: string) => ["--mount", `type=volume,src=whole,dst=/m,volume-subpath=${path}`];
    assert.equal(await ok("run", "--rm", ...part("d"), "busybox", "cat", "/m/f"), "in");
    assert.equal(await ok("run", "--rm", ...part("link"), "busybox", "cat", "/m/f"), "in");
    await refused(/no such file or directory|ENOENT/, "run", "--rm", ...part("out"), "busybox", "ls", "/m");
    await refused(/no such file or directory/, "run", "--rm", ...part("nosuch"), "busybox", "true");
    await ok("volume", "rm", "whole");
  });

  test("--volumes-from: all, read-only, and refused", async () => {
    const source = await ok("create", "-v", "shared:/s", "-v", "/anon", "busybox");
    await ok("run", "--rm", "--volumes-from", source, "busybox", "sh", "-c", "echo 1 > /s/f; echo 2 > /anon/f");
    assert.equal(
      await ok("run", "--rm", "--volumes-from", `${source}:ro`, "busybox", "cat", "/s/f", "/anon/f"),
      "1\n2",
    );
    await refused(/Read-only file system/, "run", "--rm", "--volumes-from", `${source}:ro`, "busybox", "touch", "/s/x");
    await refused(/invalid mode/, "run", "--rm", "--volumes-from", `${source}:x`, "busybox", "true");
    await ok("rm", "-v", source);
    await ok("volume", "rm", "shared");
  });

  test("local options: tmpfs shared by those that run, a bind, and what cannot be mounted", async () => {
    await ok("volume", "create", "-o", "type=tmpfs", "-o", "device=tmpfs", "-o", "o=size=1m,uid=1000", "memory");
    const holder = await ok("run", "-d", "-v", "memory:/m", "busybox", "sh", "-c", "echo a > /m/a; sleep 100");
    assert.equal(
      await ok("run", "--rm", "-v", "memory:/m", "busybox", "sh", "-c", "cat /m/a; stat -fc %T /m"),
      "a\ntmpfs",
    );
    assert.ok(mounted());
    await box.crash();
    assert.equal(await ok("run", "--rm", "-v", "memory:/m", "busybox", "cat", "/m/a"), "a");
    await ok("rm", "-f", holder);
    assert.equal(await ok("run", "--rm", "-v", "memory:/m", "busybox", "ls", "/m"), "");
    assert.ok(!mounted());
    const directory = join(box.directory, "elsewhere");
    mkdirSync(directory);
    writeFileSync(join(directory, "f"), "there\n");
    await ok("volume", "create", "-o", "type=none", "-o", `device=${directory}`, "-o", "o=bind,ro", "elsewhere");
    assert.equal(await ok("run", "--rm", "-v", "elsewhere:/e", "busybox", "cat", "/e/f"), "there");
    await refused(/Read-only/, "run", "--rm", "-v", "elsewhere:/e", "busybox", "touch", "/e/g");
    await ok("volume", "create", "-o", "type=none", "-o", "device=/no/such", "-o", "o=bind", "nowhere");
    await refused(/failed to mount local volume/, "run", "--rm", "-v", "nowhere:/e", "busybox", "true");
    assert.equal(await ok("volume", "prune", "-fa"), "Total reclaimed space: 0B");
    await ok("volume", "rm", "memory", "elsewhere", "nowhere");
    assert.equal(readFileSync(join(directory, "f"), "utf8"), "there\n");
  });

  test("volumes and their labels survive a kill; what was being removed is gone", async () => {
    await ok("volume", "create", "--label", "x=y", "survivor");
    mkdirSync(join(box.layout.volumes, ".remove-1234/_data"), { recursive: true });
    await box.crash();
    assert.equal(await ok("volume", "inspect", "--format", "{{.Labels}}", "survivor"), "map[x:y]");
    assert.equal(await box.ok("volume", "ls", "-q"), "survivor");
    assert.equal(await box.ok("volume", "rm", "survivor"), "survivor");
  });

  test("a read-only mount of a client older than API 1.44 is just that", async () => {
    const mount = { Type: "bind", Source: box.directory, Target: "/d", ReadOnly: true };
    const body = { Image: "busybox", Cmd: ["touch", "/d/x"], HostConfig: { Mounts: [mount] } };
    const { status, text } = await box.api("POST", "/v1.41/containers/create?name=old", body);
    assert.equal(status, 201, text);
    await refused(/Read-only file system/, "start", "-a", "old");
    await ok("rm", "old");
  });

  test("events", async () => {
    const since = String(Date.now() / 1000);
    await ok("run", "--rm", "-v", "told:/t:ro", "busybox", "true");
    await ok("volume", "rm", "told");
    const until = String(Date.now() / 1000);
    const events = await ok(
      "events",
      "--since",
      since,
      "--until",
      until,
      "--filter",
      "type=volume",
      "--format",
      "{{json .}}",
    );
    const actions = events.split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(
      actions.map(({ Action, Actor }) => [Action, Actor.ID]),
      ["create", "mount", "unmount", "destroy"].map((action) => [action, "told"]),
    );
    assert.equal(actions[1].Actor.Attributes["read/write"], "false");
  });

  test("sampan's own command line", async () => {
    assert.equal(await box.ok("volume", "create", "--label", "a=b", "mine"), "mine");
    assert.match(await box.ok("volume", "ls"), /^DRIVER {4}VOLUME NAME\nlocal {5}mine$/);
    assert.equal(JSON.parse(await box.ok("volume", "inspect", "mine"))[0].Labels.a, "b");
    assert.equal(JSON.parse(await box.ok("inspect", "mine"))[0].Name, "mine");
    assert.match(await box.ok("volume", "prune", "-af"), /Deleted Volumes:\nmine\n\nTotal reclaimed space: 0B/);
  });
});
