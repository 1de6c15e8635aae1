import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { messageOf } from "../../../errors/index.ts";
import type { Container } from "../../container/live.ts";
import type { EngineParts } from "../../parts.ts";
import { nowNs } from "../../time.ts";
import { LogChain } from "../chain.ts";
import { headerSize, lengthAt, timeAt } from "../record.ts";
import { findStart } from "../start.ts";
import { LogWatch } from "../watch.ts";
import { type Datagrams, UdpDatagrams, UnixDatagrams } from "./datagrams.ts";
import { journalSocket, syslogDestination } from "./destination.ts";
import { formatOf } from "./formats.ts";
import { type Line, Lines } from "./lines.ts";

/** Milliseconds between two tries while nobody takes lines. */
const patience = 1000;

type ShippingParts = Pick<EngineParts, "executor" | "log">;

/**
 * Sends a container's lines to where its log driver says, out of the log that its monitor keeps: what was written while no
 * daemon ran, or nobody took lines, is sent later. How far that is, is noted beside the log; after a crash of the daemon some
 * lines may be sent twice, none is left out while the log still has it.
 */
export class Shipper {
  readonly #container: Container;
  readonly #log: ShippingParts["log"];
  readonly #datagrams: Datagrams;
  readonly #format: (line: Line) => Buffer;
  readonly #lines = new Lines();
  readonly #note: string;
  /** Unix nanoseconds: everything until here was sent before. */
  readonly #until: bigint;
  /** Until here it has been read. */
  #last: bigint;
  readonly #stop = new AbortController();
  readonly #watch: LogWatch;

  constructor({ executor, log }: ShippingParts, container: Container) {
    this.#container = container;
    this.#log = log;
    this.#datagrams = datagramsOf(executor, container);
    this.#format = formatOf(container.record);
    this.#note = join(container.files.directory, "shipped");
    this.#until = readNote(this.#note);
    this.#last = this.#until;
    this.#watch = new LogWatch(container.files.log);
  }

  /** Resolves when all is sent that was written until `ended`, or it was stopped. */
  async run(ended: Promise<unknown>): Promise<void> {
    const end = { came: false };
    const came = () => {
      end.came = true;
      this.#watch.poke();
    };
    ended.then(came, came);
    const { log } = this.#container.files;
    const begin = this.#until === 0n ? undefined : this.#until;
    const chain = await LogChain.open(log, await findStart(log, begin));
    try {
      while (!this.#stop.signal.aborted) {
        const last = end.came; // asked for before reading: what was written before the end is still read
        const bytes = await chain.read();
        if (bytes.length > 0) await this.#ship(bytes);
        else if (last) break;
        else await this.#watch.changed();
      }
      if (!this.#stop.signal.aborted && this.#lines.pending) await this.#send(this.#lines.end(nowNs()));
      this.#noteSent();
    } finally {
      this.#watch.close();
      await chain.close();
      this.#datagrams.close();
    }
  }

  stop(): void {
    this.#stop.abort();
    this.#watch.poke();
  }

  async #ship(bytes: Buffer): Promise<void> {
    const { from, last } = this.#unsent(bytes);
    if (from === bytes.length) return;
    await this.#send(this.#lines.push(bytes.subarray(from)));
    this.#last = last;
    // A line that has begun is begun again by the next daemon: the note waits for its end.
    if (!this.#lines.pending) this.#noteSent();
  }

  /** Where records begin that no earlier daemon has sent; the time of the last. */
  #unsent(bytes: Buffer): { from: number; last: bigint } {
    let from = 0;
    let last = this.#until;
    for (let offset = 0; offset < bytes.length; ) {
      const next = offset + headerSize + lengthAt(bytes, offset);
      const time = timeAt(bytes, offset);
      if (time <= this.#until && from === offset) from = next;
      else last = time;
      offset = next;
    }
    return { from, last };
  }

  async #send(lines: readonly Line[]): Promise<void> {
    let messages = lines.map(this.#format);
    for (let told = false; messages.length > 0 && !this.#stop.signal.aborted; ) {
      try {
        await this.#datagrams.send(messages, (count) => {
          messages = messages.slice(count);
        });
      } catch (error) {
        if (!told) {
          const text = `its log lines wait in its log: ${messageOf(error)}`;
          this.#log.warn({ container: this.#container.id }, text);
        }
        told = true;
        await setTimeout(patience, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      }
    }
  }

  #noteSent(): void {
    if (this.#stop.signal.aborted || this.#last === this.#until) return;
    try {
      writeFileSync(`${this.#note}.new`, String(this.#last));
      renameSync(`${this.#note}.new`, this.#note);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return; // the container is removed
      this.#log.warn({ container: this.#container.id }, `how far its log was sent is not noted: ${messageOf(error)}`);
    }
  }
}

function readNote(path: string): bigint {
  try {
    return BigInt(readFileSync(path, "utf8"));
  } catch {
    return 0n; // nothing was sent yet
  }
}

function datagramsOf(executor: EngineParts["executor"], { record }: Container): Datagrams {
  const { Type, Config } = record.hostConfig.LogConfig;
  if (Type === "journald") return new UnixDatagrams(executor, journalSocket);
  const { to } = syslogDestination(Config);
  return typeof to === "string" ? new UnixDatagrams(executor, to) : new UdpDatagrams(to.host, to.port);
}
