import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, symlinkSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { before, suite, test } from "node:test";
import { buildContext, classicBuild } from "../support/builds.ts";
import { dockerOf } from "../support/docker.ts";
import { busybox } from "../support/images.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });
const { ok } = dockerOf(box);
let images = 0;

type Files = Parameters<typeof buildContext>[1];

/** Builds lines, with files beside them, and answers the image's name. */
async function image(lines: readonly string[], files: Files = {}, ...args: string[]): Promise<string> {
  return await imageOf(buildContext(box, { ...files, Dockerfile: lines }), ...args);
}

async function imageOf(directory: string, ...args: string[]): Promise<string> {
  const name = `made:${images++}`;
  const { status, stdout, stderr } = await classicBuild(box, directory, "-t", name, ...args);
  assert.equal(status, 0, `${stdout}${stderr}`);
  return name;
}

/** What a shell says in a container of the image. */
const says = async (name: string, command: string) => await ok("run", "--rm", name, "sh", "-c", command);

/** A build of lines that has to fail; what it says. */
async function fails(lines: readonly string[], files: Files = {}, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await classicBuild(
    box,
    buildContext(box, { ...files, Dockerfile: lines }),
    ...args,
  );
  assert.notEqual(status, 0, stdout);
  return stderr;
}

const inspect = async (name: string) => JSON.parse(await ok("image", "inspect", name))[0];

suite("instructions of a Dockerfile", requires("docker", "busybox", "tar"), () => {
  before(async () => box.load(await busybox(), "busybox:latest"));

  test("COPY: into directories that are there or not, of files and directories, by wildcards", async () => {
    const directory = buildContext(box, {
      ...{ "a/one": "1", "a/b/two": "2", "a/b/skip.md": "", z1: "z1", z2: "z2", "[odd]": "odd" },
      Dockerfile: [
        "FROM busybox",
        "COPY a /new/deep",
        "COPY a /etc",
        "COPY z* /zs/",
        "COPY z1 /renamed",
        "COPY z2 /tmp",
        "COPY [[]odd] /odd",
        "COPY --exclude=**/*.md a /slim",
        "COPY --parents a/b/two a/./b/two /parents/",
        "COPY --chown=tester:extra --chmod=u=rwX,go= a /owned",
        "COPY --chown=12:13 z1 /numbers",
        "COPY link /followed",
        "COPY --link z1 /linked/z1",
        "COPY <<one <<'two' /here/",
        "$PATH",
        "one",
        "$PATH",
        "two",
      ],
    });
    symlinkSync("a/b/two", join(directory, "link"));
    chmodSync(join(directory, "z1"), 0o751);
    const name = await imageOf(directory);
    const find =
      "find /new /zs /slim /parents /owned /numbers /followed /linked /here /etc/b -exec stat -c '%n %a %u:%g' {} + | sort";
    assert.deepEqual((await says(name, find)).split("\n"), [
      ..."/etc/b 755 0:0,/etc/b/skip.md 644 0:0,/etc/b/two 644 0:0,/followed 644 0:0,/here 755 0:0,/here/one 644 0:0".split(
        ",",
      ),
      ..."/here/two 644 0:0,/linked 755 0:0,/linked/z1 751 0:0,/new 755 0:0,/new/deep 755 0:0".split(","),
      ..."/new/deep/b 755 0:0,/new/deep/b/skip.md 644 0:0,/new/deep/b/two 644 0:0,/new/deep/one 644 0:0".split(","),
      ..."/numbers 751 12:13,/owned 700 1000:2000,/owned/b 700 1000:2000,/owned/b/skip.md 600 1000:2000".split(","),
      ..."/owned/b/two 600 1000:2000,/owned/one 600 1000:2000,/parents 755 0:0,/parents/a 755 0:0".split(","),
      ..."/parents/a/b 755 0:0,/parents/a/b/two 644 0:0,/parents/b 755 0:0,/parents/b/two 644 0:0".split(","),
      ..."/slim 755 0:0,/slim/b 755 0:0,/slim/b/two 644 0:0,/slim/one 644 0:0,/zs 755 0:0,/zs/z1 751 0:0,/zs/z2 644 0:0".split(
        ",",
      ),
    ]);
    assert.equal(
      await says(name, "cat /renamed /tmp/z2 /odd /followed /here/one /here/two; ls /etc"),
      [
        "z1z2odd2/bin:/usr/bin",
        "$PATH",
        "b",
        "group",
        "hostname",
        "hosts",
        "mtab",
        "one",
        "passwd",
        "resolv.conf",
      ].join("\n"),
    );
  });

  test("COPY leaves what is there, replaces files, and goes through links inside the image only", async () => {
    const name = await image(
      [
        "FROM busybox",
        "RUN mkdir -m 700 /kept && chown 7:7 /kept && echo old > /kept/f && ln -s /kept /to && ln -s ../../../../../kept /out && ln -s kept/f /file",
        "COPY d /kept",
        "COPY g /to/",
        "COPY g /out/h",
        "COPY g /file",
      ],
      { "d/f": "new", g: "g" },
    );
    assert.equal(await says(name, "stat -c '%a %u' /kept; cd /kept; cat f g h; ls -l /file | wc -l"), "700 7\nggg1");
  });

  test("ADD unpacks archives, downloads, and checks", async () => {
    const directory = buildContext(box, {
      ...{ "tree/inside": "in", plain: "no archive" },
      Dockerfile: [
        "FROM busybox",
        "ARG URL",
        "ADD a.tar.gz plain /un/",
        "ADD $URL/file /got/",
        "ADD --unpack=true $URL/a.tar.gz /far",
        "ADD --unpack=false a.tar.gz /kept/",
      ],
    });
    execFileSync("tar", ["-C", directory, "--owner=5", "--group=6", "-czf", join(directory, "a.tar.gz"), "tree"]);
    const archive = execFileSync("cat", [join(directory, "a.tar.gz")]);
    const server = createServer((request, response) => {
      response.setHeader("Last-Modified", "Thu, 01 Jan 2015 00:00:00 GMT");
      response.end(request.url === "/file" ? "from afar" : archive);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const name = await imageOf(directory, "--build-arg", `URL=${url}`);
      assert.equal(
        await says(
          name,
          "cat /un/tree/inside /un/plain /got/file /far/tree/inside; ls /kept; stat -c '%a %u %Y' /un/tree/inside /got/file | sed 's/ 1[67].*//'",
        ),
        "inno archivefrom afarina.tar.gz\n644 5\n600 0 1420070400",
      );
      const wrong = `ADD --checksum=sha256:${"0".repeat(64)} ${url}/file /x`;
      assert.match(await fails(["FROM busybox", wrong]), /digest mismatch/);
    } finally {
      server.close();
    }
  });

  test("RUN: shells, words, scripts, users, directories, variables", async () => {
    const name = await image([
      "FROM busybox",
      "ARG SEEN=arg",
      "ENV WHO=env",
      'RUN ["touch", "/two words"]',
      "RUN <<EOT",
      "echo $SEEN $WHO > /script",
      "echo second >> /script",
      "EOT",
      "RUN <<EOT",
      "#!/bin/awk -f",
      'BEGIN { print "awk" > "/awk" }',
      "EOT",
      'SHELL ["/bin/sh", "-ec"]',
      "WORKDIR /work",
      "WORKDIR sub",
      "USER tester",
      "RUN id -u > /tmp/id; pwd >> /tmp/id; echo $HOME >> /tmp/id",
      "USER 5:6",
      "WORKDIR /home5",
      "RUN echo mine > file",
    ]);
    assert.equal(
      await says(name, "ls / | grep two; cat /script /awk /tmp/id; stat -c %u:%g /home5/file /home5"),
      "two words\narg env\nsecond\nawk\n1000\n/work/sub\n/home/tester\n5:6\n5:6",
    );
    assert.equal(await says(name, "test -e /dev/pipes || echo none"), "none");
  });

  test("RUN --mount: binds of the context and of stages, caches, memory; nothing of them stays", async () => {
    const lines = (mark: string) => [
      "FROM busybox AS other",
      "RUN mkdir /d && echo other > /d/f",
      "FROM busybox",
      "RUN --mount=target=/ctx --mount=from=other,source=/d,target=/other cat /ctx/f /other/f > /seen; ! touch /ctx/g",
      "RUN --mount=target=/mnt/rw,rw echo changed > /mnt/rw/f",
      `RUN --mount=type=cache,target=/var/cache/x,mode=0700 echo ${mark} >> /var/cache/x/log; cat /var/cache/x/log > /log`,
      "RUN --mount=type=tmpfs,target=/mem,size=1m mount | grep ' /mem ' > /mounted && touch /mem/f",
      "RUN --mount=type=tmpfs,target=/mem,readonly mount | grep ' /mem .*(ro,' && ! touch /mem/f",
    ];
    const first = await image(lines("one"), { f: "context" });
    assert.equal(
      await says(
        first,
        "cat /seen /log; grep -c tmpfs /mounted; ls -d /ctx /other /mnt /mem /var/cache 2>&1 | grep -vc No || true",
      ),
      "contextother\none\n1\n0",
    );
    const second = await image(lines("two"), { f: "context" });
    assert.equal(await says(second, "cat /log"), "one\ntwo");
  });

  test("RUN --network, and what only builds that say so may", async () => {
    const name = await image(["FROM busybox", "RUN --network=none ip -o link | wc -l > /links"]);
    assert.equal(await says(name, "cat /links"), "1");
    assert.match(await fails(["FROM busybox", "RUN --network=host true"]), /network.host is not allowed/);
    const lines = ["FROM busybox", "RUN --security=insecure mount -t tmpfs none /tmp && touch /insecure"];
    assert.match(await fails(lines), /security.insecure is not allowed/);
    const tar = execFileSync("tar", ["-C", buildContext(box, { Dockerfile: lines }), "-c", "."]);
    const { text } = await box.api("POST", "/build?t=insecure&allow=security.insecure", tar);
    assert.match(text, /Successfully tagged insecure/);
    assert.equal(await says("insecure", "ls /insecure"), "/insecure");
  });

  test("ONBUILD, and stages that continue others", async () => {
    await image(["FROM busybox", "ONBUILD COPY f /onbuild", "ONBUILD RUN echo $A ran >> /onbuild", "ENV A=b"]);
    await ok("tag", `made:${images - 1}`, "parent:latest");
    const name = await image(["FROM parent AS one", "ARG X=y", "FROM one", 'LABEL x="$X"', "RUN echo $X >> /onbuild"], {
      f: "f ",
    });
    assert.equal(await says(name, "cat /onbuild"), "f b ran\ny");
    const { Config } = await inspect(name);
    assert.equal(Config.OnBuild, null);
    assert.deepEqual(Config.Labels, { x: "y" });
  });

  test("what cannot be: files that are not there, stages, directories in the way", async () => {
    assert.match(await fails(["FROM busybox", "COPY nothing /"]), /file not found.*nothing: file does not exist/);
    assert.match(
      await fails(["FROM busybox", "COPY a b /c"], { a: "", b: "" }),
      /must be a directory and end with a \//,
    );
    assert.match(await fails(["FROM busybox", "COPY a /etc/passwd/a"], { a: "" }), /cannot copy to non-directory/);
    assert.match(
      await fails(["FROM busybox AS early", "COPY --from=later a /", "FROM busybox AS later", "FROM early"]),
      /invalid from flag value later/,
    );
    assert.match(await fails(["FROM busybox"], {}, "--target", "none"), /target stage "none" could not be found/);
    assert.match(await fails(["FROM busybox", "COPY ../../etc/shadow /"]), /file does not exist/);
  });
});
