import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { messageOf, SampanError } from "../errors/index.ts";

const entry = z.strictObject({
  mirrors: z.array(z.string()).default([]),
  insecure: z.boolean().default(false),
});
const file = z.record(z.string(), entry);
type Entries = z.output<typeof file>;

/** What is known of a registry before it is asked. */
export interface RegistrySettings {
  /** Hosts to ask first, in this order; the registry itself is asked last. */
  readonly mirrors: readonly string[];
  /** Plain HTTP and unverified certificates will do. */
  readonly insecure: boolean;
}

/** The entry of registries that have none of their own. */
const others = "*";

/**
 * `registries.json` in the configuration directory: per registry ("docker.io", "host:port", "*" for those without an entry),
 * `mirrors` and `insecure`. It is read again when it has changed. No file is an empty one; a malformed one is an error of kind
 * "invalid" that names it.
 */
export class RegistriesFile {
  readonly path: string;
  #read: { readonly stamp: string; readonly entries: Entries } | undefined;

  constructor(directory: string) {
    this.path = join(directory, "registries.json");
  }

  of(domain: string): RegistrySettings {
    const entries = this.#entries();
    const found = Object.hasOwn(entries, domain) ? entries[domain] : entries[others];
    return found ?? { mirrors: [], insecure: false };
  }

  #entries(): Entries {
    const stat = statSync(this.path, { throwIfNoEntry: false });
    if (stat === undefined) return {};
    const stamp = `${stat.mtimeMs} ${stat.size} ${stat.ino}`;
    if (this.#read?.stamp !== stamp) this.#read = { stamp, entries: this.#parse() };
    return this.#read.entries;
  }

  #parse(): Entries {
    try {
      const parsed = file.safeParse(JSON.parse(readFileSync(this.path, "utf8")));
      if (parsed.success) return parsed.data;
      const [issue] = parsed.error.issues;
      throw new SampanError("invalid", `${issue?.message ?? "malformed"} at ${issue?.path.join(".") ?? "its top"}`);
    } catch (cause) {
      throw new SampanError("invalid", `Cannot use ${this.path}: ${messageOf(cause)}`, { cause });
    }
  }
}
