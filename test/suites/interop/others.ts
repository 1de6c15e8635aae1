import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dockerArchive } from "../../support/images.ts";
import { PeerWorld } from "../../support/peers.ts";
import { eventually } from "../../support/process.ts";
import { travellerContext, travellerLayers } from "./traveller.ts";

/** The other engines: docker with its own store and with containerd's, podman and buildah with theirs. */
export type Engine = "docker" | "containerd" | "podman";

const podman = ["podman", "--root", "/engine/podman", "--runroot", "/run/podman"];
const buildah = ["buildah", "--root", "/engine/podman", "--runroot", "/run/podman"];
const docker = ["docker"];
const containerd = ["docker", "-H", "unix:///run/store.sock"];
const skopeo = ["skopeo", "--insecure-policy"];

const clients: Readonly<Record<Engine, readonly string[]>> = { docker, containerd, podman };

/** Where something goes: a file in the world, or a repository of the registry that all reach. */
export interface Places {
  readonly file: string;
  readonly name: string;
}

type Commands = (at: Places) => readonly (readonly string[])[];

/** How somebody hands an image out. */
export interface Maker {
  readonly name: string;
  /** Whose image it is: what he himself saves is what has to arrive. */
  readonly of: Engine;
  readonly to: "file" | "registry";
  /** What OCI's configuration does not have is lost: podman and skopeo make a new one. */
  readonly converts?: true;
  /** It is changed on the way: what it is then is in a docker-archive beside the file. */
  readonly changes?: true;
  readonly commands: Commands;
}

/** The name of what every engine has built. */
const image = "built:1";
const plain = ["--tls-verify=false"];

/** Podman's own are more than a machine without CAP_SYS_RESOURCE may give. */
const limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"];

export const makers: readonly Maker[] = [
  { name: "docker save", of: "docker", to: "file", commands: ({ file }) => [[...docker, "save", "-o", file, image]] },
  {
    name: "docker save, containerd's store",
    of: "containerd",
    to: "file",
    commands: ({ file }) => [[...containerd, "save", "-o", file, image]],
  },
  {
    name: "docker buildx, an OCI layout with attestations",
    of: "containerd",
    to: "file",
    commands: ({ file }) => [
      [
        ...containerd,
        "buildx",
        "build",
        "--network",
        "none",
        "-t",
        image,
        "-o",
        `type=oci,dest=${file}`,
        "/engine/context",
      ],
    ],
  },
  {
    name: "podman save",
    of: "podman",
    to: "file",
    commands: ({ file }) => [[...podman, "save", "-q", "--format", "docker-archive", "-o", file, image]],
  },
  {
    name: "podman save, OCI",
    of: "podman",
    to: "file",
    converts: true,
    commands: ({ file }) => [[...podman, "save", "-q", "--format", "oci-archive", "-o", file, image]],
  },
  {
    name: "buildah push, OCI with zstd",
    of: "podman",
    to: "file",
    converts: true,
    commands: ({ file }) => [
      [...buildah, "push", "-q", "--compression-format", "zstd", image, `oci-archive:${file}:${image}`],
    ],
  },
  {
    name: "skopeo copy, OCI to docker-archive",
    of: "docker",
    to: "file",
    converts: true,
    commands: ({ file }) => [
      [...docker, "save", "-o", `${file}.docker`, image],
      [...skopeo, "copy", "-q", `docker-archive:${file}.docker`, `oci:${file}.layout:x`],
      [...skopeo, "copy", "-q", `oci:${file}.layout:x`, `docker-archive:${file}:docker.io/library/${image}`],
    ],
  },
  {
    name: "umoci, a layer put on it",
    of: "docker",
    to: "file",
    changes: true,
    commands: ({ file }) => [
      [...docker, "save", "-o", `${file}.docker`, image],
      [...skopeo, "copy", "-q", `docker-archive:${file}.docker`, `oci:${file}.layout:x`],
      ["umoci", "insert", "--image", `${file}.layout:x`, "/engine/context/file", "/copied"],
      ["umoci", "gc", "--layout", `${file}.layout`],
      [...skopeo, "copy", "-q", `oci:${file}.layout:x`, `docker-archive:${file}.changed:docker.io/library/${image}`],
      ["tar", "-C", `${file}.layout`, "-cf", file, "."],
    ],
  },
  {
    name: "docker push",
    of: "docker",
    to: "registry",
    commands: ({ name }) => [
      [...docker, "tag", image, name],
      [...docker, "push", "-q", name],
    ],
  },
  {
    name: "docker push, containerd's store, with attestations",
    of: "containerd",
    to: "registry",
    commands: ({ name }) => [
      [...containerd, "tag", image, name],
      [...containerd, "push", "-q", name],
    ],
  },
  {
    name: "podman push",
    of: "podman",
    to: "registry",
    commands: ({ name }) => [[...podman, "push", "-q", ...plain, image, name]],
  },
  ...["zstd", "zstd:chunked"].map(
    (compression): Maker => ({
      name: `podman push, ${compression}`,
      of: "podman",
      to: "registry",
      converts: true,
      commands: ({ name }) => [[...podman, "push", "-q", ...plain, "--compression-format", compression, image, name]],
    }),
  ),
  {
    name: "podman manifest push, an index",
    of: "podman",
    to: "registry",
    converts: true,
    commands: ({ name }) => [
      [...podman, "manifest", "create", "list:1"],
      [...podman, "manifest", "add", "list:1", `containers-storage:localhost/${image}`],
      [...podman, "manifest", "push", "-q", ...plain, "--all", "list:1", `docker://${name}`],
      [...podman, "manifest", "rm", "list:1"],
    ],
  },
];

/** How somebody takes what Sampan hands out: `of` says what. */
export interface Taker {
  readonly name: string;
  readonly by: Engine;
  readonly of: "archive" | "layout" | "store" | "repository" | "zstd repository";
  readonly savesNot?: true;
  /** The last word of the last command's output names the image. */
  readonly commands: Commands;
}

const named = (line: string) => ["echo", line];

export const takers: readonly Taker[] = [
  ...(["docker", "containerd"] as const).map(
    (by): Taker => ({
      name: `docker load${by === "docker" ? "" : ", containerd's store"}`,
      by,
      of: "archive",
      commands: ({ file }) => [[...clients[by], "load", "-q", "-i", file], named("ours:1")],
    }),
  ),
  {
    name: "podman load",
    by: "podman",
    of: "archive",
    commands: ({ file }) => [[...podman, "load", "-q", "-i", file]],
  },
  {
    name: "podman pull of the archive as an OCI layout",
    by: "podman",
    of: "archive",
    commands: ({ file }) => [[...podman, "pull", "-q", `oci-archive:${file}`]],
  },
  {
    name: "podman pull of a layout",
    by: "podman",
    of: "layout",
    commands: ({ file }) => [[...podman, "pull", "-q", `oci:${file}`]],
  },
  {
    name: "podman pull of the content store",
    by: "podman",
    of: "store",
    commands: ({ file }) => [[...podman, "pull", "-q", `oci:${file}:docker.io/library/ours:1`]],
  },
  ...(["repository", "zstd repository"] as const).flatMap((of): Taker[] => [
    ...(["docker", "containerd"] as const).map(
      (by): Taker => ({
        name: `docker pull of a ${of}${by === "docker" ? "" : ", containerd's store"}`,
        by,
        of,
        // Layers whose files it has are not fetched in another compression: it has nothing to save.
        ...(by === "containerd" && of === "zstd repository" && { savesNot: true as const }),
        commands: ({ name }) => [[...clients[by], "pull", "-q", name]],
      }),
    ),
    {
      name: `podman pull of a ${of}`,
      by: "podman",
      of,
      commands: ({ name }) => [[...podman, "pull", "-q", ...plain, name], named(name)],
    },
    {
      name: `buildah pull of a ${of}`,
      by: "podman",
      of,
      commands: ({ name }) => [[...buildah, "pull", "-q", ...plain, name], named(name)],
    },
  ]),
];

/** The other engines at work, each with the traveller and what it has built of it. */
export class Others {
  readonly world: PeerWorld;
  /** 127.0.0.1:PORT in there, with the files of the registry out here. */
  readonly host: string;
  #places = 0;

  private constructor(world: PeerWorld, host: string) {
    this.world = world;
    this.host = host;
  }

  /** Starts them. The registry in there serves /engine/registry at this port, as one out here may do. */
  static async start(port: number): Promise<Others> {
    const script = [
      "until [ -e /engine/ready ]; do sleep 0.05; done",
      "docker-registry serve /engine/registry.yml &",
      "dockerd --data-root /engine/docker --bridge none --iptables=false --ip6tables=false &",
      `dockerd --config-file /engine/store.json --data-root /engine/containerd --exec-root /run/store \\
         --pidfile /run/store.pid -H unix:///run/store.sock --bridge none --iptables=false --ip6tables=false &`,
      "wait",
    ];
    const world = await PeerWorld.start(`interop-${process.pid}`, ["sh", "-c", script.join("\n")]);
    try {
      const others = new Others(world, `127.0.0.1:${port}`);
      await others.#prepare(port);
      return others;
    } catch (error) {
      process.stderr.write(`${world.logs()}\n`);
      await world.close();
      throw error;
    }
  }

  async #prepare(port: number): Promise<void> {
    const { world } = this;
    const put = (name: string, content: string | Uint8Array) => writeFileSync(join(world.directory, name), content);
    for (const name of ["context", "out", "registry"]) mkdirSync(join(world.directory, name));
    const http = `http: { addr: "127.0.0.1:${port}" }`;
    put("registry.yml", `version: 0.1\nstorage: { filesystem: { rootdirectory: /engine/registry } }\n${http}\n`);
    put("store.json", JSON.stringify({ features: { "containerd-snapshotter": true } }));
    put("context.tar", await travellerContext());
    put("traveller.tar", await dockerArchive({ layers: await travellerLayers(), config: {} }, ["traveller:latest"]));
    put("ready", "");
    await world.ok("tar", "-C", "/engine/context", "-xf", "/engine/context.tar");
    for (const client of [docker, containerd]) {
      const answers = async () => (await world.run([...client, "version"])).status === 0;
      await eventually(`${client.join(" ")} answers`, answers, 60_000);
      await world.ok(...client, "load", "-q", "-i", "/engine/traveller.tar");
      await world.ok(...client, "buildx", "build", "-q", "--network", "none", "-t", image, "/engine/context");
    }
    await world.ok(...podman, "load", "-q", "-i", "/engine/traveller.tar");
    const alone = ["--isolation", "chroot", "--format", "docker", "--layers", ...limits];
    await world.ok(...podman, "build", "-q", ...alone, "-t", image, "/engine/context");
  }

  /** A place that nobody has used. */
  place(): Places & { readonly outside: string; readonly changed: string } {
    const n = this.#places++;
    const outside = join(this.world.directory, "out", `${n}.tar`);
    const changed = `${outside}.changed`;
    return { file: `/engine/out/${n}.tar`, name: `${this.host}/made/${n}:1`, outside, changed };
  }

  /** Carries commands out, one after the other; what the last one prints. */
  async play(commands: ReturnType<Commands>): Promise<string> {
    let said = "";
    for (const command of commands) said = await this.world.ok(...command);
    return said;
  }

  /** What an engine saves of an image, in the form of a docker-archive. */
  async save(engine: Engine, name = image): Promise<Buffer> {
    const format = engine === "podman" ? ["-q", "--format", "docker-archive"] : [];
    return await this.world.bytes([...clients[engine], "save", ...format, name]);
  }

  /** What an engine says when it runs an image. */
  async run(engine: Engine, name: string): Promise<string> {
    const options = engine === "podman" ? limits : [];
    return await this.world.ok(...clients[engine], "run", "--rm", "--network", "none", ...options, name);
  }

  /** An archive of the files that a container of an image has. */
  async export(engine: Engine, name: string): Promise<Buffer> {
    const client = clients[engine];
    const id = (await this.world.ok(...client, "create", "--network", "none", name)).split("\n").at(-1) ?? "";
    const bytes = await this.world.bytes([...client, "export", id]);
    await this.world.ok(...client, "rm", id);
    return bytes;
  }

  async remove(engine: Engine, name: string): Promise<void> {
    await this.world.ok(...clients[engine], "rmi", "-f", name);
  }

  /** By program, the version that did it. */
  async versions(): Promise<Record<string, string>> {
    const versions: Record<string, string> = {};
    for (const program of ["docker.io", "docker-buildx", "podman", "buildah", "skopeo", "umoci"]) {
      const version = await this.world.ok("dpkg-query", "-W", "-f", "$" + "{Version}", program);
      versions[program] = version;
    }
    return versions;
  }
}
