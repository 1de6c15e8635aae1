import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import type { Namespace } from "./namespace.ts";
import { eventually, succeed } from "./process.ts";
import { program } from "./requires.ts";

export interface Registry {
  /** Host and port, as the first part of an image's name: "127.0.0.1:40123". */
  readonly host: string;
  readonly port: number;
  /** Where it keeps blobs, to damage them: `<directory>/docker/registry/v2/blobs/sha256/xx/<hex>/data`. */
  readonly directory: string;
  /** Pushes an OCI layout's only image as `name`, e.g. "library/busybox:1". */
  push(ociLayout: string, name: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * A real registry server (Debian's docker-registry) on a free loopback port with its files in `directory`. `extra` is
 * added to its configuration; `known` is a port that is free; `network` is where it serves, if not here.
 */
export async function startRegistry(
  directory: string,
  extra = "",
  known?: number,
  network?: Namespace,
): Promise<Registry> {
  const [port, debugPort] = [known ?? (await freePort()), await freePort()];
  mkdirSync(directory, { recursive: true });
  const config = join(directory, "config.yml");
  writeFileSync(config, configuration(directory, port, debugPort) + extra);
  const log = openSync(join(directory, "registry.log"), "a");
  const enter = network?.enter ?? [];
  const [file = "", ...args] = [...enter, program("docker-registry") ?? "docker-registry", "serve", config];
  const server = spawn(file, args, { stdio: ["ignore", log, log] });
  closeSync(log);
  const host = `127.0.0.1:${port}`;
  await eventually("the registry answers", () => {
    if (server.exitCode !== null) throw new Error(readFileSync(join(directory, "registry.log"), "utf8"));
    return answers(`http://${host}/v2/`, network);
  });
  return {
    host,
    port,
    directory,
    push: async (ociLayout, name) => {
      const copy = ["copy", "--quiet", "--insecure-policy", "--dest-tls-verify=false", "--all"];
      const [first = "", ...rest] = [...enter, "skopeo", ...copy, `oci:${ociLayout}`, `docker://${host}/${name}`];
      await succeed(first, rest);
    },
    close: () => end(server),
  };
}

function configuration(directory: string, port: number, debugPort: number): string {
  return `version: 0.1
log: { level: warn, accesslog: { disabled: true } }
storage:
  filesystem: { rootdirectory: ${directory} }
  delete: { enabled: true }
http:
  addr: 127.0.0.1:${port}
  debug: { addr: "127.0.0.1:${debugPort}" }
`;
}

/** The next to try: ports below those that the kernel hands out (ip_local_port_range, ip(7)), each process its own. */
let nextPort = 10_000 + ((process.pid * 16) % 20_000);

/** A loopback port for who cannot choose one by itself: nobody is given it by chance before it is used. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = nextPort++;
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}

async function answers(url: string, network: Namespace | undefined): Promise<boolean> {
  if (network !== undefined) return (await network.run(["curl", "-sfo", "/dev/null", url])).status === 0;
  return await new Promise((resolve) => {
    get(url, (response) => {
      response.resume();
      resolve(response.statusCode === 200 || response.statusCode === 401);
    }).once("error", () => resolve(false));
  });
}

function end(server: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (server.exitCode !== null || server.signalCode !== null) return resolve();
    server.once("exit", () => resolve());
    server.kill("SIGTERM");
  });
}
