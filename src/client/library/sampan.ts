import type { Readable } from "node:stream";
import type { ContainerSummary, CreateContainerResponse } from "../../api/shapes/container.ts";
import type { ProgressLine } from "../../api/shapes/image.ts";
import { SampanError } from "../../errors/index.ts";
import { type ClientOptions, SampanClient } from "../client.ts";
import type { ListContainers } from "../containers.ts";
import { type BuildOptions, type BuiltImage, buildImage } from "./build.ts";
import { Container, type Result } from "./container.ts";
import type { Cancellable, ContainerOptions } from "./options.ts";
import { createRequest } from "./options.ts";
import { Owner } from "./owner.ts";
import { converse, type Input } from "./streams.ts";

export interface ConnectOptions extends ClientOptions, Cancellable {}

export interface PullOptions extends Cancellable {
  readonly platform?: string | undefined;
  readonly onProgress?: ((line: ProgressLine) => void) | undefined;
}

/**
 * Connects to the daemon, which is started when none answers.
 *
 *     await using sampan = await connect();
 *     const { stdout } = await sampan.run("debian", ["date"]);
 */
export async function connect({ signal, ...options }: ConnectOptions = {}): Promise<Sampan> {
  const client = new SampanClient(options);
  await client.until(signal).ping();
  return new Sampan(client);
}

/** A container engine. Disposing of it removes the containers whose lifetime is their owner's. */
export class Sampan implements AsyncDisposable {
  /** Docker's whole API, call by call. */
  readonly client: SampanClient;
  readonly #owner: Owner;
  #disposed = false;

  constructor(client: SampanClient) {
    this.client = client;
    this.#owner = new Owner(client.socketPath);
  }

  /**
   * Runs a command in a container of its own and resolves with its output and exit code; the image's command when there is
   * none. Then the container is gone, as it is when the signal fires or this process ends first.
   */
  async run(
    image: string,
    command: readonly string[] = [],
    { input, ...options }: ContainerOptions & { readonly input?: Input | undefined } = {},
  ): Promise<Result> {
    const { signal } = options;
    const wanted = { lifetime: "owner", autoRemove: true, stdin: input !== undefined, ...options } as const;
    const container = await this.create(image, command, wanted);
    try {
      const { containers } = this.client.until(signal);
      const streams = { stdin: input !== undefined, stdout: true, stderr: true, stream: true };
      const condition = wanted.autoRemove ? "removed" : "next-exit";
      const [connection, { exit }] = await Promise.all([
        containers.attach(container.id, streams),
        containers.wait(container.id, { condition }),
      ]);
      const output = converse(connection, { input, signal });
      output.catch(() => {});
      await containers.start(container.id);
      return { ...(await output), exitCode: (await exit).StatusCode };
    } catch (error) {
      await container.remove().catch(() => {});
      throw error;
    }
  }

  /** Makes a container and starts it. */
  async start(image: string, command: readonly string[] = [], options: ContainerOptions = {}): Promise<Container> {
    const container = await this.create(image, command, options);
    try {
      await container.start(options);
      return container;
    } catch (error) {
      await container.remove().catch(() => {});
      throw error;
    }
  }

  /** Makes a container, fetching its image when it is missing; `start` starts it. */
  async create(image: string, command: readonly string[] = [], options: ContainerOptions = {}): Promise<Container> {
    const owned = options.lifetime === "owner";
    if (owned && this.#disposed) throw new SampanError("conflict", "Cannot own a container: this connection is closed");
    if (options.pull === "always") await this.pull(image, options);
    if (owned) await this.#hold(options);
    const request = createRequest(image, command, { options, owner: owned ? this.#owner.name : undefined });
    const { name, platform } = options;
    const client = this.client.until(options.signal);
    const create = (): Promise<CreateContainerResponse> => client.containers.create(request, { name, platform });
    try {
      return new Container(this.client, (await create()).Id);
    } catch (error) {
      const missing = error instanceof SampanError && error.kind === "not-found";
      if (!missing || (options.pull ?? "missing") !== "missing") throw error;
      await this.pull(image, options);
      return new Container(this.client, (await create()).Id);
    }
  }

  /** A container by id, unambiguous beginning of an id, or name. Throws not-found. */
  async container(reference: string, { signal }: Cancellable = {}): Promise<Container> {
    const { Id: id } = await this.client.until(signal).containers.inspect(reference);
    return new Container(this.client, id);
  }

  containers({ signal, ...options }: ListContainers & Cancellable = {}): Promise<ContainerSummary[]> {
    return this.client.until(signal).containers.list(options);
  }

  /** Fetches an image from its registry. Without tag and digest, `latest`. */
  async pull(image: string, { platform, signal, onProgress }: PullOptions = {}): Promise<void> {
    const { name = image, digest, tag } = /^(?<name>.*?)(?:@(?<digest>.+)|:(?<tag>[^/:]+))?$/.exec(image)?.groups ?? {};
    const lines = await this.client.until(signal).images.pull(name, { tag: digest ?? tag ?? "latest", platform });
    for await (const line of lines) {
      if (line.error !== undefined) throw new SampanError("unavailable", `Cannot pull ${image}: ${line.error}`);
      onProgress?.(line);
    }
  }

  /**
   * Builds an image of a Dockerfile and its context: a directory, a URL, or a tar archive as a stream. Throws BuildError.
   *
   *     const { id } = await sampan.build("app", { tags: ["app"], secrets: { npm: token } });
   */
  build(context: string | Readable, options: BuildOptions = {}): Promise<BuiltImage> {
    return buildImage(this.client, context, options);
  }

  /** Ends the connection, and with it the containers whose lifetime is their owner's. Resolves when they are removed. */
  async close(): Promise<void> {
    this.#disposed = true;
    await this.#owner.release();
    this.client.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The daemon may have left since: then something has to start it before we can be its owner. */
  async #hold({ signal }: Cancellable): Promise<void> {
    await this.client.until(signal).ping();
    await this.#owner.hold();
  }
}
