import type { ContainerInspect } from "../../api/shapes/container.ts";
import { SampanError } from "../../errors/index.ts";
import type { SampanClient } from "../client.ts";
import type { WaitCondition } from "../containers.ts";
import type { LogLine, LogOptions } from "./logs.ts";
import { logLines, logQuery } from "./logs.ts";
import type { Cancellable } from "./options.ts";
import type { Input, Output, Streams } from "./streams.ts";
import { converse, webStreams } from "./streams.ts";

export interface ExecOptions extends Cancellable {
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly workdir?: string | undefined;
  readonly user?: string | undefined;
  readonly privileged?: boolean | undefined;
  readonly tty?: boolean | undefined;
}

/** What has become of a command. */
export interface Result extends Output {
  readonly exitCode: number;
}

/** A command that runs in a container. */
export interface Process extends Streams {
  /** Resolves when it has ended and its output has been sent. */
  readonly exited: Promise<number>;
  resize(size: { readonly rows: number; readonly columns: number }): Promise<void>;
}

/** A container. Everything waits for the daemon's answer, and is given up when its `signal` fires. */
export class Container implements AsyncDisposable {
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly #client: SampanClient;

  constructor(client: SampanClient, id: string) {
    this.#client = client;
    this.id = id;
  }

  async start({ signal }: Cancellable = {}): Promise<void> {
    await this.#at(signal).containers.start(this.id).catch(unlessNotModified);
  }

  /** Asks it to end, and kills it after `timeout` seconds; its image or the request that made it say how long otherwise. */
  async stop({ timeout, signal }: Cancellable & { readonly timeout?: number | undefined } = {}): Promise<void> {
    await this.#at(signal).containers.stop(this.id, { t: timeout }).catch(unlessNotModified);
  }

  /** Sends it a signal, by name or number; SIGKILL when none is named. */
  kill(name?: string, { signal }: Cancellable = {}): Promise<void> {
    return this.#at(signal).containers.kill(this.id, { signal: name });
  }

  /** Removes it, killing it first, with its anonymous volumes. One that is gone already is no error. */
  async remove({ signal }: Cancellable = {}): Promise<void> {
    try {
      await this.#at(signal).containers.remove(this.id, { force: true, v: true });
    } catch (error) {
      if (kindOf(error) === "not-found") return;
      // It is on its way out by itself: its end is what was asked for.
      if (kindOf(error) !== "conflict") throw error;
      await this.wait({ condition: "removed", signal }).catch((late) => {
        if (kindOf(late) !== "not-found") throw late;
      });
    }
  }

  inspect({ signal }: Cancellable = {}): Promise<ContainerInspect> {
    return this.#at(signal).containers.inspect(this.id);
  }

  /** The exit code, once it does not run. */
  async wait({ condition, signal }: Cancellable & { readonly condition?: WaitCondition } = {}): Promise<number> {
    const { exit } = await this.#at(signal).containers.wait(this.id, { condition });
    const { StatusCode: code, Error: failure } = await exit;
    if (failure?.Message) throw new SampanError("internal", failure.Message);
    return code;
  }

  /** Where a port of the container is found on the machine: `{ host: "127.0.0.1", port: 49153 }`. */
  async port(port: number | string, { signal }: Cancellable = {}): Promise<{ host: string; port: number }> {
    const { NetworkSettings: settings } = await this.inspect({ signal });
    const wanted = typeof port === "number" || !port.includes("/") ? `${port}/tcp` : port;
    const found = settings?.Ports?.[wanted]?.[0];
    if (found === undefined) throw new SampanError("not-found", `No public port '${wanted}' of container ${this.id}`);
    const host = found.HostIp === "0.0.0.0" || found.HostIp === "" ? "127.0.0.1" : found.HostIp.replace(/^::$/, "::1");
    return { host, port: Number(found.HostPort) };
  }

  /** What it has written, line by line; with `follow`, until it ends. */
  async *logs(options: LogOptions = {}): AsyncGenerator<LogLine> {
    const client = this.#at(options.signal);
    const response = await client.containers.logs(this.id, logQuery(options));
    const type = response.headers["content-type"] ?? "";
    const framed = !type.includes("raw-stream");
    yield* logLines(response, { framed, timestamps: options.timestamps ?? false });
  }

  /** Its own process's streams, from now on; before `start` nothing is missed. */
  async attach({ signal }: Cancellable = {}): Promise<Streams> {
    const options = { stdin: true, stdout: true, stderr: true, stream: true };
    return webStreams(await this.#at(signal).containers.attach(this.id, options), signal);
  }

  /** Runs one more command in it, to its end. The signal gives up waiting; the command goes on. */
  async exec(
    command: readonly string[],
    { input, ...options }: ExecOptions & { readonly input?: Input | undefined } = {},
  ): Promise<Result> {
    const client = this.#at(options.signal);
    const { Id: id } = await client.execs.create(this.id, execRequest(command, options, input !== undefined));
    const connection = await client.execs.start(id, { Tty: options.tty ?? false });
    const output = await converse(connection, { input, signal: options.signal });
    return { ...output, exitCode: await exitCode(client, id) };
  }

  /** Starts one more command in it. */
  async spawn(command: readonly string[], options: ExecOptions = {}): Promise<Process> {
    const client = this.#at(options.signal);
    const { Id: id } = await client.execs.create(this.id, execRequest(command, options, true));
    const connection = await client.execs.start(id, { Tty: options.tty ?? false });
    const closed = new Promise((resolve) => connection.socket.once("close", resolve));
    const exited = closed.then(() => exitCode(client, id));
    exited.catch(() => {});
    return {
      ...webStreams(connection, options.signal),
      exited,
      resize: ({ rows, columns }) => client.execs.resize(id, { h: rows, w: columns }),
    };
  }

  /** Puts a file there, or a whole tar archive into a directory; the directory has to be there. */
  async copyTo(path: string, content: Input, options: CopyOptions = {}): Promise<void> {
    const { Readable } = await import("node:stream");
    const { bytesOf, fileArchive } = await import("./copy.ts");
    const { files } = this.#at(options.signal);
    const slash = path.lastIndexOf("/") + 1;
    const tar = options.archive ? bytesOf(content) : fileArchive(path.slice(slash), content, options);
    const directory = options.archive ? path : path.slice(0, slash) || "/";
    await files.write(this.id, directory, Readable.from(tar, { objectMode: false }));
  }

  /** The content of a file. */
  async read(path: string, { signal }: Cancellable = {}): Promise<Uint8Array> {
    const { readOneFile } = await import("./copy.ts");
    const { tar } = await this.#at(signal).files.read(this.id, path);
    return readOneFile(tar, path);
  }

  /** A file or a directory as a tar archive. */
  async copyFrom(path: string, { signal }: Cancellable = {}): Promise<ReadableStream<Uint8Array>> {
    const { Readable } = await import("node:stream");
    const { tar } = await this.#at(signal).files.read(this.id, path);
    return Readable.toWeb(tar) as ReadableStream<Uint8Array>;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.remove();
  }

  #at(signal: AbortSignal | undefined): SampanClient {
    return this.#client.until(signal);
  }
}

export interface CopyOptions extends Cancellable {
  /** The content is a tar archive, to be unpacked in the directory that the path names. */
  readonly archive?: boolean | undefined;
  /** Permission bits of the file: 0o644 unless said otherwise. */
  readonly mode?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}

function execRequest(command: readonly string[], options: ExecOptions, stdin: boolean) {
  return {
    Cmd: command,
    AttachStdin: stdin,
    AttachStdout: true,
    AttachStderr: true,
    Tty: options.tty ?? false,
    ...(options.env && { Env: Object.entries(options.env).map(([name, value]) => `${name}=${value}`) }),
    ...(options.workdir !== undefined && { WorkingDir: options.workdir }),
    ...(options.user !== undefined && { User: options.user }),
    ...(options.privileged !== undefined && { Privileged: options.privileged }),
  };
}

async function exitCode(client: SampanClient, exec: string): Promise<number> {
  const { ExitCode: code } = await client.execs.inspect(exec);
  if (code === null)
    throw new SampanError("internal", "Cannot tell the exit code: the connection ended before the command");
  return code;
}

function kindOf(error: unknown): string | undefined {
  return error instanceof SampanError ? error.kind : undefined;
}

function unlessNotModified(error: unknown): void {
  if (kindOf(error) !== "not-modified") throw error;
}
