import { existsSync, readdirSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { scratchDirectory } from "../../build/scratch.ts";
import type { Builder } from "../../build/types.ts";
import { messageOf } from "../../errors/index.ts";
import type { EngineParts } from "../parts.ts";
import type { Images } from "../types.ts";
import { EngineBuildHost } from "./host.ts";

/** The builder, loaded when it is first asked for: starting the daemon must be quick. */
export class EngineBuilds implements Builder {
  readonly #parts: EngineParts;
  readonly #db: DatabaseSync;
  readonly #images: Pick<Images, "pull">;
  #opened: Promise<Builder> | undefined;

  constructor(parts: EngineParts, db: DatabaseSync, images: Pick<Images, "pull">) {
    this.#parts = parts;
    this.#db = db;
    this.#images = images;
  }

  /** Has what the builds of a daemon that was killed have left removed; nobody waits for it. */
  recover(): void {
    const { log } = this.#parts;
    const directory = this.scratch;
    if (!existsSync(directory) || readdirSync(directory).length === 0) return;
    this.#builder().catch((error) => log.warn({ error: messageOf(error) }, "what builds have left was not removed"));
  }

  get scratch(): string {
    return scratchDirectory(this.#parts.layout);
  }

  build: Builder["build"] = async (request) => await (await this.#builder()).build(request);

  usage: Builder["usage"] = async () => await (await this.#builder()).usage();

  prune: Builder["prune"] = async (request) => await (await this.#builder()).prune(request);

  #builder(): Promise<Builder> {
    this.#opened ??= this.#open().catch((error) => {
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }

  async #open(): Promise<Builder> {
    const { openBuilder } = await import("../../build/builder.ts");
    const { layout, executor, kernel, runtime, snapshots, images, log } = this.#parts;
    const host = new EngineBuildHost(this.#parts, this.#images);
    return await openBuilder({ layout, db: this.#db, executor, kernel, runtime, snapshots, images, host, log });
  }
}
