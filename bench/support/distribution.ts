import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestImage, tar, writeOciLayout } from "../../test/support/images.ts";
import type { Namespace } from "../../test/support/namespace.ts";
import { runProgram, succeed } from "../../test/support/process.ts";
import { freePort, type Registry, startRegistry } from "../../test/support/registry.ts";
import { Sandbox } from "../../test/support/sandbox.ts";
import { type Engine, networkOf, others, ours, type Tools, tools } from "./engines.ts";
import type { Contestant } from "./measure.ts";
import { bigFiles, manyFiles, said } from "./trees.ts";

/** Every engine and every tool that moves images, on one loopback, with a registry of docker's there. */
export interface Distribution {
  readonly engines: readonly Engine[];
  readonly tools: Tools;
  readonly missing: readonly string[];
  readonly registry: Registry;
  /** Undefined: this machine's own. */
  readonly network: Namespace | undefined;
  /** Scratch space of this machine's programs. */
  readonly directory: string;
}

/** An image in the forms in which it travels. */
export interface Traveller {
  readonly name: string;
  readonly title: string;
  readonly image: TestImage;
  /** An OCI layout with compressed layers. */
  readonly layout: string;
  /** The compressed layers, as files. */
  readonly blobs: readonly { readonly digest: string; readonly path: string }[];
}

/** Starts everything; it goes with `closing`. */
export async function startDistribution(closing: AsyncDisposableStack, name: string): Promise<Distribution> {
  const port = await freePort();
  const insecure = `[[registry]]\\nlocation = "127.0.0.1:${port}"\\ninsecure = true\\n`;
  const setup = `mkdir -p /etc/containers/registries.conf.d; printf '${insecure}' >/etc/containers/registries.conf.d/bench.conf`;
  const { engines, missing, world } = await others(closing, name, { setup });
  const network = networkOf(world);
  const box = new Sandbox();
  closing.defer(() => box.close());
  if (network !== undefined) box.enter = network.enter;
  await box.start();
  const directory = join(box.directory, "scratch");
  mkdirSync(directory);
  const registry = await startRegistry(join(directory, "registry"), "", port, network);
  closing.defer(() => registry.close());
  const beside = tools(["skopeo", "umoci"], world, directory);
  return {
    engines: [ours(box, closing), ...engines],
    tools: beside,
    missing: [...missing, ...beside.missing],
    registry,
    network,
    directory,
  };
}

/** What travels, times `part`: five layers of 118 MB, and one of 37,000 small files. */
export async function* travellers(directory: string, part: number): AsyncGenerator<Traveller> {
  const layers = [60, 30, 16, 8, 4].map((megabytes, n) => tar(bigFiles(`l${n}`, 4, megabytes * 1e6 * part)));
  yield traveller(directory, "big", `5 layers, ${said(118 * part)} MB`, {
    layers: await Promise.all(layers),
    config: {},
  });
  const count = 37_000 * part;
  const files = manyFiles("small", count, (n) => 200 + ((n * 13) % 4000));
  yield traveller(directory, "small", `${said(count)} small files`, {
    layers: [await tar(files)],
    config: {},
  });
}

function traveller(directory: string, name: string, title: string, image: TestImage): Traveller {
  const layout = join(directory, `layout-${name}`);
  const path = (digest: string) => join(layout, "blobs/sha256", digest.slice("sha256:".length));
  const manifest = JSON.parse(readFileSync(path(writeOciLayout(layout, image)), "utf8")) as {
    layers: { digest: string }[];
  };
  return { name, title, image, layout, blobs: manifest.layers.map(({ digest }) => ({ digest, path: path(digest) })) };
}

/** Runs a shell script with arguments, the tools' or this machine's way in before it; it has to succeed. */
export async function shell(enter: readonly string[], script: string, ...args: readonly string[]): Promise<void> {
  const [file = "", ...rest] = [...enter, "sh", "-ec", script, "sh", ...args];
  await succeed(file, rest, { timeout: 300_000 });
}

/** A contestant that works in a new directory each time, which is removed while the clock stands. */
export function inNewDirectory(name: string, parent: string, work: (name: string) => Promise<void>): Contestant {
  let round = 0;
  return {
    name,
    once: async () => {
      const made = `${name.replaceAll(/\W+/g, "-")}-${round++}`;
      mkdirSync(join(parent, made));
      const start = performance.now();
      await work(made);
      const time = performance.now() - start;
      await runProgram("rm", ["-rf", "--one-file-system", join(parent, made)]);
      return time;
    },
  };
}

/** Pulls an image over the API. */
export async function pull({ api }: Engine, image: string): Promise<void> {
  const last = (await api.call("POST", `/images/create?fromImage=${encodeURIComponent(image)}`)) as { error?: string };
  if (last.error !== undefined) throw new Error(last.error);
}
