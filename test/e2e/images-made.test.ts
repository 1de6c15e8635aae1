import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, suite, test } from "node:test";
import { docker, dockerOf } from "../support/docker.ts";
import { busybox, digestOf, tar } from "../support/images.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });

const { ok, refused } = dockerOf(box);

const inspect = async (name: string) => JSON.parse(await ok("image", "inspect", name))[0];
const blobs = () => readdirSync(join(box.layout.content, "blobs/sha256")).sort();
const layers = () => readdirSync(box.layout.layers).filter((name) => /^[0-9a-f]{64}$/.test(name));

suite("images made here", requires("docker", "busybox", "tar"), () => {
  before(async () => {
    await box.load(await busybox({ Labels: { base: "1" } }), "busybox");
  });

  test("commit: what was added, changed and removed, of a container that runs and of one that does not", async () => {
    const script = [
      ...[
        "echo new > /etc/new",
        "rm /etc/group",
        "rm -r /home",
        "mkdir /home",
        "echo h > /home/h",
        "ln /etc/new /etc/hard",
      ],
      ...[
        "chmod 4755 /etc/new",
        "chown 5:6 /etc/passwd",
        "ln -s x /link",
        "mkfifo /pipe",
        "touch /ready",
        "sleep 1000",
      ],
    ];
    const id = await ok("run", "-d", "-v", "/vol", "busybox", "sh", "-c", script.join("; "));
    await ok("exec", id, "sh", "-c", "until [ -e /ready ]; do sleep 0.05; done");
    for (const name of ["made:running", "made:stopped"]) {
      const image = await ok("commit", "-a", "Me <me@x>", "-m", "why", id, name);
      assert.match(image, /^sha256:[0-9a-f]{64}$/);
      const { Id, Author, Comment, Config, RootFS, RepoTags } = await inspect(name);
      assert.deepEqual([Id, Author, Comment, RepoTags], [image, "Me <me@x>", "why", [name]]);
      assert.deepEqual([Config.Cmd, Config.Labels], [["sh", "-c", script.join("; ")], { base: "1" }]);
      assert.equal(RootFS.Layers.length, 2);
      const look =
        "cat /etc/new /home/h; ls /home; ls /etc/group; stat -c '%a %h' /etc/new; stat -c %u:%g /etc/passwd; readlink /link; ls /vol";
      const seen = await docker(box, ["run", "--rm", name, "sh", "-c", look]);
      assert.deepEqual(seen.stdout.split("\n"), ["new", "h", "h", "4755 2", "5:6", "x", ""]);
      assert.match(seen.stderr, /group: No such file/);
      if (name === "made:running") {
        assert.equal(await ok("inspect", "--format", "{{.State.Status}}", id), "running");
        await ok("stop", "-t", "0", id);
      }
    }
    await ok("rm", "-v", id);
    assert.match(
      await ok("history", "--format", "{{.CreatedBy}}|{{.Comment}}", "made:running"),
      /^sh -c echo new.*\|why\n/,
    );
    await ok("rmi", "made:running", "made:stopped");
  });

  test("commit --change, and nothing changed", async () => {
    const id = await ok("create", "--env", "A=1", "busybox", "true");
    const changes = [
      'CMD ["x"]',
      "ENV B=2",
      "EXPOSE 80",
      "LABEL l=m",
      "USER tester",
      "WORKDIR /w",
      "STOPSIGNAL SIGINT",
    ];
    const image = await ok("commit", ...changes.flatMap((change) => ["-c", change]), id);
    const { Config, RootFS, RepoTags } = await inspect(image);
    assert.deepEqual([RootFS.Layers.length, RepoTags], [1, []]);
    assert.deepEqual(Config.Cmd, ["x"]);
    assert.ok(Config.Env.includes("A=1") && Config.Env.includes("B=2"));
    assert.deepEqual([Config.ExposedPorts, Config.Labels], [{ "80/tcp": {} }, { base: "1", l: "m" }]);
    assert.deepEqual([Config.User, Config.WorkingDir, Config.StopSignal], ["tester", "/w", "SIGINT"]);
    await refused(/RUN is not a valid change command/, "commit", "-c", "RUN x", id);
    await refused(/No such container: nosuch/, "commit", "nosuch");
    await refused(/invalid reference format/, "commit", id, "UPPER:x");
    await ok("rm", id);
    await ok("rmi", image);
  });

  test("save and load; the archive is a docker-archive and an OCI layout", async () => {
    const before = { blobs: blobs(), layers: layers() };
    const id = await ok("run", "-d", "busybox", "sh", "-c", "echo saved > /saved; sleep 1000");
    await ok("exec", id, "sh", "-c", "until [ -e /saved ]; do sleep 0.05; done");
    const image = await ok("commit", id, "saved:one");
    await ok("tag", "saved:one", "saved:two");
    await ok("tag", "saved:one", "localhost:5000/a/saved:three");
    await ok("rm", "-f", id);
    const file = join(box.directory, "saved.tar");
    await ok("save", "-o", file, "saved", "localhost:5000/a/saved:three", "busybox");
    const own = join(box.directory, "own.tar");
    await box.ok("save", "-o", own, "saved", "localhost:5000/a/saved:three", "busybox");
    assert.ok(readFileSync(own).equals(readFileSync(file)));
    const out = join(box.directory, "saved");
    mkdirSync(out);
    execFileSync("tar", ["-xf", file, "-C", out]);
    for (const hex of readdirSync(join(out, "blobs/sha256"))) {
      assert.equal(digestOf(readFileSync(join(out, "blobs/sha256", hex))), `sha256:${hex}`);
    }
    const manifest = JSON.parse(readFileSync(join(out, "manifest.json"), "utf8"));
    assert.deepEqual(
      manifest.map(({ RepoTags }: { RepoTags: string[] }) => RepoTags.toSorted()),
      [["localhost:5000/a/saved:three", "saved:one", "saved:two"], ["busybox:latest"]],
    );
    assert.equal(`sha256:${manifest[0].Config.split("/").at(-1)}`, image);
    const index = JSON.parse(readFileSync(join(out, "index.json"), "utf8"));
    const names = index.manifests.map(
      (entry: { annotations: Record<string, string> }) => entry.annotations["io.containerd.image.name"],
    );
    assert.ok(names.includes("docker.io/library/saved:one"));
    await ok("rmi", "saved:one", "saved:two", "localhost:5000/a/saved:three");
    assert.deepEqual({ blobs: blobs(), layers: layers() }, before);
    assert.match(await ok("load", "-i", file), /Loaded image: saved:one/);
    assert.equal((await inspect("saved:two")).Id, image);
    assert.equal(await ok("run", "--rm", "saved:one", "cat", "/saved"), "saved");
    await ok("rmi", "saved:one", "saved:two", "localhost:5000/a/saved:three");
    await refused(/No such image: nosuch/, "save", "-o", file, "nosuch");
    assert.equal((await box.api("GET", "/images/nosuch/get")).status, 404);
  });

  test("import: from stdin, with changes and a message; what is no archive leaves nothing", async () => {
    const before = { blobs: blobs(), layers: layers() };
    const archive = await tar([
      { name: "bin/busybox", body: readFileSync("/bin/busybox"), mode: 0o755 },
      { name: "bin/cat", type: "symlink", linkname: "busybox" },
      { name: "f", body: "imported\n" },
    ]);
    const put = await docker(box, ["import", "-c", 'CMD ["/bin/cat", "/f"]', "-m", "because", "-", "got:in"], {
      input: archive,
    });
    assert.equal(put.status, 0, put.stderr);
    const { Id, Comment, RootFS } = await inspect("got:in");
    assert.deepEqual([put.stdout.trim(), Comment, RootFS.Layers], [Id, "because", [digestOf(archive)]]);
    assert.equal(await ok("run", "--rm", "got:in"), "imported");
    const own = await box.run(["import", "-", "own:in"], { input: archive });
    assert.equal(own.stdout.trim(), (await inspect("own:in")).Id);
    assert.equal(await ok("history", "--format", "{{.Comment}}", "own:in"), "Imported from -");
    await ok("rmi", "got:in", "own:in");
    const bad = await docker(box, ["import", "-", "bad:in"], { input: "x".repeat(2000) });
    assert.notEqual(bad.status, 0);
    await refused(/No such image/, "image", "inspect", "bad:in");
    assert.deepEqual({ blobs: blobs(), layers: layers() }, before);
  });

  test("export and import give the same files", async () => {
    const id = await ok("create", "busybox");
    const file = join(box.directory, "flat.tar");
    await ok("export", "-o", file, id);
    await ok("import", file, "flat:x");
    assert.equal(
      await ok("run", "--rm", "flat:x", "/bin/busybox", "cat", "/etc/group"),
      await ok("run", "--rm", "busybox", "cat", "/etc/group"),
    );
    await ok("rm", id);
    await ok("rmi", "flat:x");
  });

  test("sampan's own commit, tag and history", async () => {
    const id = await ok("create", "busybox", "true");
    writeFileSync(join(box.directory, "x"), "x\n");
    await box.ok("cp", join(box.directory, "x"), `${id}:/x`);
    assert.match(await box.ok("commit", "-m", "note", "-c", "ENV Z=1", id, "own:1"), /^sha256:/);
    await box.ok("tag", "own:1", "own:2");
    assert.equal((await inspect("own:2")).Config.Env.at(-1), "Z=1");
    const [ours, dockers] = [
      await box.ok("history", "--no-trunc", "own:1"),
      await ok("history", "--no-trunc", "own:1"),
    ];
    const narrow = (table: string) =>
      table
        .replaceAll(/ +/g, " ")
        .replaceAll(/ $/gm, "")
        .replaceAll(/(Less than a|\d+) seconds? ago/g, "now");
    assert.equal(narrow(ours), narrow(dockers));
    assert.equal(await box.ok("history", "-q", "own:1"), await ok("history", "-q", "own:1"));
    await ok("rm", id);
    await ok("rmi", "own:1", "own:2");
  });

  test("a kill in the middle of a commit leaves no half image, and nobody frozen", async () => {
    const id = await ok(
      "run",
      "-d",
      "busybox",
      "sh",
      "-c",
      "dd if=/dev/urandom of=/big bs=1M count=60 2>&1; touch /ready; sleep 1000",
    );
    await ok("exec", id, "sh", "-c", "until [ -e /ready ]; do sleep 0.05; done");
    const before = { blobs: blobs(), layers: layers() };
    for (const wait of [50, 400, 900]) {
      const committing = docker(box, ["commit", id, "half:made"]);
      await new Promise((resolve) => setTimeout(resolve, wait));
      await box.crash();
      const { status } = await committing;
      assert.equal(await ok("inspect", "--format", "{{.State.Status}}", id), "running");
      await ok("exec", id, "true");
      if (status === 0) {
        await ok("rmi", "half:made");
        continue;
      }
      await refused(/No such image/, "image", "inspect", "half:made");
      assert.deepEqual(layers(), before.layers);
    }
    await ok("commit", id, "half:made");
    await ok("rmi", "half:made");
    await ok("rm", "-f", id);
    assert.deepEqual(layers(), before.layers);
  });
});
