import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { buffer } from "node:stream/consumers";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { type Header, pack } from "tar-stream";
import { succeed } from "./process.ts";
import { program } from "./requires.ts";

/** An entry of a tar archive; `body` of files. */
export type Entry = Partial<Header> & Pick<Header, "name"> & { body?: string | Uint8Array };

export interface TestImage {
  /** Uncompressed tar archives, bottom first. */
  readonly layers: readonly Uint8Array[];
  /** The `config` object of the OCI image configuration. */
  readonly config: Readonly<Record<string, unknown>>;
}

export type Compression = "none" | "gzip" | "zstd";

const suffixes: Record<Compression, string> = { none: "", gzip: "+gzip", zstd: "+zstd" };
export const architecture = process.arch === "x64" ? "amd64" : process.arch;

/** A tar archive of the entries, in their order. */
export async function tar(entries: readonly Entry[]): Promise<Buffer> {
  const archive = pack();
  for (const { body, ...header } of entries) {
    const isFile = header.type === undefined || header.type === "file";
    if (isFile) archive.entry(header, Buffer.from(body ?? ""));
    else archive.entry(header);
  }
  archive.finalize();
  return await buffer(archive);
}

/** An image of busybox-static with all its applets, a user "tester" (1000, also in group "extra") and /tmp. */
export async function busybox(config: Record<string, unknown> = {}): Promise<TestImage> {
  const binary = program("busybox") ?? "/bin/busybox";
  const applets = (await succeed(binary, ["--list"])).split("\n").filter((name) => name !== "" && name !== "busybox");
  const directories = ["bin", "dev", "etc", "home", "home/tester", "proc", "root", "sys", "usr", "usr/bin", "var"];
  const layer = await tar([
    ...directories.map((name): Entry => ({ name, type: "directory", mode: 0o755 })),
    { name: "tmp", type: "directory", mode: 0o1777 },
    { name: "bin/busybox", mode: 0o755, body: readFileSync(binary) },
    ...applets.map((name): Entry => ({ name: `bin/${name}`, type: "symlink", linkname: "busybox" })),
    { name: "etc/passwd", body: "root:x:0:0:root:/root:/bin/sh\ntester:x:1000:1000::/home/tester:/bin/sh\n" },
    { name: "etc/group", body: "root:x:0:\ntester:x:1000:\nextra:x:2000:tester\n" },
  ]);
  return { layers: [layer], config: { Cmd: ["sh"], Env: ["PATH=/bin:/usr/bin"], ...config } };
}

/** What is fetched for tests is kept here for the next run. */
export const testCache: string = "/var/tmp/sampan-test-cache";

/**
 * The image of a Debian made by debootstrap, with further packages and what they need; the archive is kept for the next
 * run.
 */
export async function debian(packages: readonly string[] = []): Promise<TestImage> {
  const archive = join(testCache, `${["debian-bookworm", ...packages, architecture].join("-")}.tar`);
  if (!existsSync(archive)) await debootstrap(archive, packages);
  return { layers: [readFileSync(archive)], config: { Cmd: ["bash"], Env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"] } };
}

/** What nothing in a container reads. */
const ballast = ["var/cache/apt/archives/*.deb", "var/cache/apt/*.bin", "var/lib/apt/lists/*", "usr/share/doc/*"];

async function debootstrap(archive: string, packages: readonly string[]): Promise<void> {
  mkdirSync(testCache, { recursive: true });
  const aside = mkdtempSync(join(testCache, "making-"));
  const include = packages.length === 0 ? [] : [`--include=${packages.join()}`];
  const args = ["--variant=minbase", ...include, "bookworm", `${aside}/root`, ...machineMirror()];
  await succeed(program("debootstrap") ?? "debootstrap", args, { timeout: 900_000 });
  const exclude = ballast.map((path) => `--exclude=./${path}`);
  const tarArgs = ["--numeric-owner", ...exclude, "-C", `${aside}/root`, "-cf", `${aside}/tar`, "."];
  await succeed("tar", tarArgs, { timeout: 300_000 });
  renameSync(`${aside}/tar`, archive);
  await succeed("rm", ["-rf", "--one-file-system", aside]);
}

/** The mirror that this machine's apt uses; debootstrap has a default for the others. */
export function machineMirror(): string[] {
  const sources = "/etc/apt/sources.list.d/debian.sources";
  const uri = existsSync(sources) ? /^URIs:\s*(\S+)/m.exec(readFileSync(sources, "utf8"))?.[1] : undefined;
  return uri === undefined ? [] : [uri];
}

/** The descriptor of some bytes. */
export function descriptor(mediaType: string, bytes: Uint8Array): { mediaType: string; digest: string; size: number } {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** The OCI image configuration: its bytes are the image's identity. */
export function configurationOf({ layers, config }: TestImage): Buffer {
  const rootfs = { type: "layers", diff_ids: layers.map(digestOf) };
  const history = layers.map(() => ({ created: "2024-01-01T00:00:00Z", created_by: "sampan test" }));
  return Buffer.from(
    JSON.stringify({ architecture, os: "linux", created: "2024-01-01T00:00:00Z", config, rootfs, history }),
  );
}

/** An image whose second layer takes a while: 4 MB that nothing makes smaller. */
export async function imageWithBigLayer(config: TestImage["config"] = {}): Promise<TestImage> {
  return {
    layers: [
      await tar([{ name: "a", body: "a" }]),
      await tar([{ name: "big", body: randomBytes(4_000_000) }]),
      await tar([{ name: "c", body: "c" }]),
    ],
    config,
  };
}

/** Stores blobs in an OCI layout; each call answers what it was given. */
function blobWriter(directory: string): <Bytes extends Uint8Array>(bytes: Bytes) => Bytes {
  return (bytes) => {
    const path = join(directory, "blobs/sha256", digestOf(bytes).slice("sha256:".length));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
    return bytes;
  };
}

/** Writes the image as an OCI layout of one manifest, tagged `tag`. Returns the manifest's digest. */
export function writeOciLayout(
  directory: string,
  image: TestImage,
  { tag = "latest", compression = "gzip" as Compression } = {},
): string {
  const store = blobWriter(directory);
  const layerType = `application/vnd.oci.image.layer.v1.tar${suffixes[compression]}`;
  const manifest = store(
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        config: descriptor("application/vnd.oci.image.config.v1+json", store(configurationOf(image))),
        layers: image.layers.map((layer) => descriptor(layerType, store(compress(layer, compression)))),
      }),
    ),
  );
  const entry = descriptor("application/vnd.oci.image.manifest.v1+json", manifest);
  const annotations = { "org.opencontainers.image.ref.name": tag };
  const platform = { architecture, os: "linux" };
  writeFileSync(join(directory, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(
    join(directory, "index.json"),
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...entry, annotations, platform }] }),
  );
  return entry.digest;
}

/**
 * Writes an index of images for several architectures as an OCI layout, tagged `tag`; `attested`: with an attestation of each, as
 * BuildKit adds them. Returns the index's digest.
 */
export function writeIndexLayout(
  directory: string,
  images: readonly { readonly architecture: string; readonly image: TestImage }[],
  tag = "multi",
  { attested = false } = {},
): string {
  const store = blobWriter(directory);
  const json = (value: unknown) => store(Buffer.from(JSON.stringify(value)));
  const manifestType = "application/vnd.oci.image.manifest.v1+json";
  const attestationOf = (digest: string) => {
    const layer = descriptor("application/vnd.in-toto+json", store(Buffer.from(`{"about":"${digest}"}`)));
    const config = descriptor(
      "application/vnd.oci.image.config.v1+json",
      json({ architecture: "unknown", os: "unknown" }),
    );
    const manifest = json({ schemaVersion: 2, mediaType: manifestType, config, layers: [layer] });
    const about = { "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": digest };
    const platform = { os: "unknown", architecture: "unknown" };
    return { ...descriptor(manifestType, manifest), annotations: about, platform };
  };
  const described = images.map(({ architecture: of, image }) => {
    const configuration = { ...JSON.parse(configurationOf(image).toString()), architecture: of };
    const config = descriptor("application/vnd.oci.image.config.v1+json", json(configuration));
    const layerType = "application/vnd.oci.image.layer.v1.tar+gzip";
    const layers = image.layers.map((layer) => descriptor(layerType, store(compress(layer, "gzip"))));
    const manifest = json({ schemaVersion: 2, mediaType: manifestType, config, layers });
    return { ...descriptor(manifestType, manifest), platform: { os: "linux", architecture: of } };
  });
  const attestations = attested ? described.map(({ digest }) => attestationOf(digest)) : [];
  const manifests = [...described, ...attestations];
  const indexType = "application/vnd.oci.image.index.v1+json";
  const index = descriptor(indexType, json({ schemaVersion: 2, mediaType: indexType, manifests }));
  const annotations = { "org.opencontainers.image.ref.name": tag };
  writeFileSync(join(directory, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(
    join(directory, "index.json"),
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...index, annotations }] }),
  );
  return index.digest;
}

function compress(bytes: Uint8Array, compression: Compression): Uint8Array {
  if (compression === "none") return bytes;
  return compression === "gzip" ? gzipSync(bytes, { level: 1 }) : zstdCompressSync(bytes);
}

/** The image as `docker save` writes it. */
export async function dockerArchive(image: TestImage, names: readonly string[]): Promise<Buffer> {
  const configuration = configurationOf(image);
  const configName = `${digestOf(configuration).slice("sha256:".length)}.json`;
  const layers = image.layers.map((layer) => ({ name: `${digestOf(layer).slice("sha256:".length)}/layer.tar`, layer }));
  const manifest = [{ Config: configName, RepoTags: names, Layers: layers.map(({ name }) => name) }];
  return await tar([
    ...layers.map(({ name, layer }): Entry => ({ name, body: layer })),
    { name: configName, body: configuration },
    { name: "manifest.json", body: JSON.stringify(manifest) },
  ]);
}
