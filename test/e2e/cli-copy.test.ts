import assert from "node:assert/strict";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, suite, test } from "node:test";
import { docker } from "../support/docker.ts";
import { busybox, tar } from "../support/images.ts";
import { type Finished, type RunOptions, succeed } from "../support/process.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });

type Client = (args: readonly string[], options?: RunOptions) => Promise<Finished>;
const clients: readonly Client[] = [
  (args, options) => docker(box, args, options),
  (args, options) => box.run(args, options),
];

/** What docker's and our command line say and do, which has to be the same. */
async function both(act: (client: Client, number: number) => Promise<unknown>): Promise<unknown> {
  const [dockers, ours] = [await act(clients[0] as Client, 0), await act(clients[1] as Client, 1)];
  assert.deepEqual(ours, dockers);
  return ours;
}

function text({ status, stderr }: Finished, ...vary: readonly string[]): unknown {
  const words = stderr
    .replace(/^Error response from daemon: /, "")
    .replace(/^sampan: /, "")
    .replace(/^time=.*\n/gm, "")
    .trim();
  return { status, words: vary.reduce((all, word) => all.replaceAll(word, "…"), words) };
}

suite("sampan cp beside docker cp", requires("docker", "busybox", "tar", "find"), () => {
  const containers: string[] = [];
  const here = (...path: string[]) => join(box.directory, "local", ...path);

  before(async () => {
    await box.load(await busybox(), "busybox");
    mkdirSync(here("dir/sub"), { recursive: true });
    mkdirSync(here("empty"));
    writeFileSync(here("file"), "f\n", { mode: 0o640 });
    writeFileSync(here("dir/a"), "a\n");
    writeFileSync(here("dir/sub/b"), "b\n");
    symlinkSync("file", here("tofile"));
    symlinkSync("dir", here("todir"));
    symlinkSync("nowhere", here("broken"));
  });

  const fresh = async (at = "in"): Promise<void> => {
    const tree = await tar([
      { name: at, type: "directory" },
      { name: `${at}/file`, body: "old\n" },
      { name: `${at}/dir/x`, body: "x\n" },
      { name: `${at}/tofile`, type: "symlink", linkname: "file" },
      { name: `${at}/todir`, type: "symlink", linkname: `/${at}/dir` },
      { name: `${at}/broken`, type: "symlink", linkname: "nowhere" },
    ]);
    while (containers.length < clients.length) containers.push(await box.ok("create", "busybox"));
    for (const id of containers) {
      assert.equal((await box.api("PUT", `/containers/${id}/archive?path=/`, tree)).status, 200);
    }
  };

  const listing = async (directory: string): Promise<string> =>
    succeed("find", [directory, "-printf", "%P %y %m %l %U:%G\\n"]).then((out) => out.split("\n").sort().join("\n"));

  const everything = ["file", "dir", "dir/", "dir/.", "tofile", "todir", "todir/", "todir/.", "broken", "nosuch"];
  const links = ["tofile", "todir", "todir/", "broken"];
  const places = ["", "/file", "/new", "/new/", "/todir", "/broken", "/no/such"];
  const toContainer = [
    { flags: [], sources: everything, targets: places },
    { flags: ["-L"], sources: links, targets: ["", "/file", "/new"] },
  ];
  for (const { flags, sources, targets } of toContainer) {
    test(`to a container: every kind of source and destination ${flags.join("")}`, async () => {
      for (const [s, source] of sources.entries()) {
        for (const [t, target] of targets.entries()) {
          const place = `in${flags.length}-${s}-${t}`;
          await fresh(place);
          await both(async (client, number) => {
            const id = containers[number] ?? "";
            const done = await client(["cp", ...flags, `${here()}/${source}`, `${id}:/${place}${target}`]);
            const { status, text: bytes } = await box.api("GET", `/containers/${id}/archive?path=/${place}`);
            assert.equal(status, 200);
            return { source, target, said: text(done, id), length: bytes.length };
          });
        }
      }
    });
  }

  const fromContainer = [
    { flags: [], sources: everything, targets: ["old", "new", "new/", "oldfile", "link", "no/such"] },
    { flags: ["-L"], sources: links, targets: ["old", "new", "oldfile"] },
  ];
  for (const { flags, sources, targets } of fromContainer) {
    test(`from a container: every kind of source and destination ${flags.join("")}`, async () => {
      await fresh();
      for (const source of sources) {
        for (const place of targets) {
          await both(async (client, number) => {
            const out = join(box.directory, `out-${number}`);
            mkdirSync(join(out, "old"), { recursive: true });
            writeFileSync(join(out, "oldfile"), "");
            symlinkSync("old", join(out, "link"));
            const done = await client(["cp", ...flags, `${containers[0]}:/in/${source}`, `${out}/${place}`]);
            const found = await listing(out);
            await succeed("rm", ["-r", out]);
            return { source, place, said: text(done, out, containers[0] ?? ""), found };
          });
        }
      }
    });
  }

  test("the root, standard streams, and what makes no sense", async () => {
    await fresh();
    const id = containers[0] ?? "";
    await both(async (client, number) => {
      const out = join(box.directory, `root-${number}`);
      const done = await client(["cp", `${id}:/`, out]);
      const found = await listing(out);
      await succeed("rm", ["-r", out]);
      return { said: text(done, out), found };
    });
    await both(async (client) =>
      text(await client(["cp", "-", `${id}:/in`], { input: await tar([{ name: "q", body: "q" }]) })),
    );
    await both(async (client) => text(await client(["cp", "-", `${id}:/in/file`], { input: await tar([]) })));
    await both(async (client) => (await client(["cp", `${id}:/in/q`, "-"])).stdout.length);
    await both(async (client) => text(await client(["cp", here("file"), here("x")])));
    await both(async (client) => text(await client(["cp", `${id}:/in`, `${id}:/in`])));
    await both(async (client) => text(await client(["cp", "nosuch:/in", here("x")])));
    await both(async (client) => text(await client(["cp", here("file"), "nosuch:/in"])));
    await both(async (client) => text(await client(["cp", "-q", here("file"), `${id}:/in`])));
  });

  test("export and diff", async () => {
    await fresh();
    const id = containers[0] ?? "";
    await both(async (client) => (await client(["diff", id])).stdout);
    await both(async (client, number) => {
      const out = join(box.directory, `export-${number}.tar`);
      assert.equal((await client(["export", "-o", out, id])).status, 0);
      return readFileSync(out).length;
    });
  });
});
