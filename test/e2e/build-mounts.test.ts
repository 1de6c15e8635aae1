import assert from "node:assert/strict";
import { chmodSync, readdirSync, symlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { before, suite, test } from "node:test";
import { buildContext } from "../support/builds.ts";
import { busybox } from "../support/images.ts";
import { eventually } from "../support/process.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });

type Files = Parameters<typeof buildContext>[1];

/** Builds lines, and answers what the build has told. */
async function build(lines: readonly string[], files: Files = {}): Promise<string> {
  return await buildOf(buildContext(box, { ...files, Dockerfile: lines }));
}

async function buildOf(directory: string): Promise<string> {
  const words = ["build", "--progress", "plain", "-t", "made", directory];
  const { status, stderr } = await box.run(words, { timeout: 60_000 });
  assert.equal(status, 0, stderr);
  return stderr;
}

const says = async (command: string) => await box.ok("run", "--rm", "--network", "none", "made", "sh", "-c", command);

/** The options that something is mounted with at a path, as a RUN sees them. */
const optionsAt = (path: string) => `awk '$2 == "${path}" { print $3, $4 }' /proc/mounts`;

suite("RUN --mount=type=bind", requires("busybox"), () => {
  before(async () => box.load(await busybox(), "busybox:latest"));

  test("of a stage: its layers, which nobody can write to", async () => {
    await build([
      "FROM busybox AS made",
      "RUN mkdir /d && echo one >/d/f && ln -s /d/f /link && chmod 700 /d && chown 5:6 /d",
      "RUN echo two >/d/g && rm /d/f && echo new >/d/f",
      "FROM busybox",
      "RUN --mount=from=made,target=/all --mount=from=made,source=d,target=/part --mount=from=made,source=link,target=/file \\",
      `  { ${optionsAt("/all")}; ${optionsAt("/part")}; } >/options; cat /all/d/g /part/f /file >/content; \\`,
      "  stat -c '%a %u:%g' /part >/owner; touch /all/x /part/x 2>/refused || true",
    ]);
    const options = (await says("cat /options")).split("\n");
    assert.equal(options.length, 2);
    for (const line of options) {
      assert.match(line, /^overlay ro,/);
      assert.ok(
        readdirSync(box.layout.layers).some((layer) => line.includes(layer)) && !line.includes("upperdir"),
        line,
      );
    }
    assert.equal(await says("cat /content /owner"), "two\nnew\nnew\n700 5:6");
    assert.equal((await says("grep -c 'Read-only file system' /refused")).trim(), "2");
    assert.equal(await says("ls -d /all /part /file 2>/dev/null | wc -l"), "0");
  });

  test("with all rights of the machine's root it can still not be written to", async () => {
    const rewrite = "mount -o remount,rw /m; mount -o remount,rw,bind /m; echo changed >/m/f; cat /m/f >>/read";
    const directory = buildContext(box, {
      Dockerfile: [
        "FROM busybox AS made",
        "RUN echo kept >/f",
        "FROM busybox",
        `RUN --security=insecure --mount=from=made,target=/m ${rewrite}`,
        `RUN --security=insecure --mount=target=/m ${rewrite}`,
      ],
      f: "context\n",
    });
    await box.ok("build", "-t", "made", "--allow", "security.insecure", directory);
    assert.equal(await says("cat /read"), "kept\ncontext");
  });

  test("of an image, of one layer, and of nothing", async () => {
    await build([
      "FROM scratch AS nothing",
      "FROM busybox",
      "RUN --mount=from=busybox,target=/image --mount=from=nothing,target=/nothing --mount=from=nothing,target=/room,rw \\",
      "  /image/bin/busybox ls /image >/there; ls -A /nothing >/empty; echo >/room/x; ls /room >/written",
    ]);
    assert.match(await says("cat /there"), /^bin$/m);
    assert.equal(await says("wc -c </empty; cat /written"), "0\nx");
  });

  test("of the context, without what is ignored; a RUN's own changes are thrown away", async () => {
    const directory = buildContext(box, {
      ...{ "src/a": "a", "src/deep/b": "b", "src/no": "no", "one file": "one", ".dockerignore": ["src/no"] },
      Dockerfile: [
        "FROM busybox",
        `RUN --mount=target=/c ${optionsAt("/c")} >/options; find /c -type f | sort >/listing; touch /c/x 2>/refused || true`,
        'RUN --mount=target=/c,rw --mount="source=one file,target=/one" echo more >>/c/src/a; rm -r /c/src/deep; echo >/c/new; ls -R /c >/first; cat /one >>/first',
        "RUN --mount=source=link,target=/c,rw cat /c/a /c/deep/b >/second; echo changed >/c/a; cat /c/a >>/second",
        "RUN --mount=source=src,target=/c cat /c/a >/third; stat -c '%a %u %Y' /c >/owner",
      ],
    });
    symlinkSync("src", join(directory, "link"));
    chmodSync(join(directory, "src"), 0o750);
    utimesSync(join(directory, "src"), 1_000_000_000, 1_000_000_000);
    await buildOf(directory);
    assert.match(await says("cat /options"), /^overlay ro,/);
    const names = [".dockerignore", "Dockerfile", "one file", "src/a", "src/deep/b"];
    assert.deepEqual(
      (await says("cat /listing")).split("\n"),
      names.map((name) => `/c/${name}`),
    );
    assert.match(await says("cat /refused"), /Read-only/);
    assert.match(await says("cat /first"), /^new$/m);
    assert.ok((await says("cat /first")).endsWith("one"));
    assert.doesNotMatch(await says("cat /first"), /^deep$/m);
    assert.equal(await says("cat /second /third"), "abchanged\na");
    assert.equal(await says("cat /owner"), "750 0 1000000000");
  });

  test("links lead nowhere outside; what is not there is told", async () => {
    await build([
      "FROM busybox AS made",
      "RUN ln -s /../../../../etc/passwd /out && echo inside >/etc/passwd && ln -s nowhere /broken",
      "FROM busybox",
      "RUN --mount=from=made,source=../../out,target=/file cat /file >/read",
    ]);
    assert.equal(await says("cat /read"), "inside");
    for (const from of ["from=made,", ""]) {
      const lines = ["FROM busybox AS made", "FROM busybox", `RUN --mount=${from}source=absent,target=/x true`];
      const directory = buildContext(box, { Dockerfile: lines });
      await box.fails({ status: 1, stderr: /Cannot mount absent: there is no such file/ }, "build", directory);
    }
  });

  test("a command is known by the part that it mounts, and by what that contains", async () => {
    const lines = (other: string) => [
      "FROM busybox AS made",
      `RUN mkdir /d && echo same >/d/f && echo ${other} >/other`,
      "FROM busybox",
      "RUN --mount=from=made,source=d,target=/d cat /d/f >/read",
      "RUN --mount=from=made,target=/all cat /all/other >/other",
    ];
    await build(lines("one"));
    const told = await build(lines("two"));
    assert.match(told, /^#(\d+) \[stage-1 2\/3\](?:.|\n)*^#\1 CACHED$/m);
    assert.equal(await says("cat /read /other"), "same\ntwo");
  });

  test("several commands at a time have what they write for themselves; nothing is left", async () => {
    const stages = [1, 2, 3].flatMap((number) => [
      `FROM busybox AS s${number}`,
      `RUN --mount=target=/c,rw echo ${number} >>/c/f; ls /c | wc -l >/count; cat /c/f >/out${number}`,
    ]);
    await build(
      ["FROM busybox AS base", ...stages, "FROM base", ...[1, 2, 3].map((n) => `COPY --from=s${n} /out${n} /`)],
      {
        f: "f\n",
      },
    );
    assert.equal(await says("cat /out1 /out2 /out3"), "f\n1\nf\n2\nf\n3");
    for (const directory of [join(box.layout.tmp, "builds"), box.layout.containers])
      await eventually("nothing is left of commands", () => readdirSync(directory).length === 0);
  });
});
