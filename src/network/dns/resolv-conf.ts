import { readFileSync, statSync } from "node:fs";

/** What resolv.conf(5) says. */
export interface ResolverSettings {
  readonly servers: readonly string[];
  readonly search: readonly string[];
  /** "ndots:2", "edns0", … */
  readonly options: readonly string[];
}

export const hostFile = "/etc/resolv.conf";

/** Reads a resolv.conf; what it does not know it passes over, as resolvers do. Of `search` and `domain` the last counts. */
export function parseResolvConf(text: string): ResolverSettings {
  const servers: string[] = [];
  const options: string[] = [];
  let search: readonly string[] = [];
  for (const line of text.split("\n")) {
    const [keyword, ...values] = line
      .replace(/[#;].*/, "")
      .trim()
      .split(/\s+/);
    const [value] = values;
    if (keyword === "nameserver" && value !== undefined) servers.push(value);
    else if (keyword === "search" || keyword === "domain") search = keyword === "search" ? values : values.slice(0, 1);
    else if (keyword === "options") options.push(...values);
  }
  return { servers, search, options };
}

export function printResolvConf({ servers, search, options }: ResolverSettings): string {
  const lines = [
    ...servers.map((server) => `nameserver ${server}`),
    ...(search.length > 0 ? [`search ${search.join(" ")}`] : []),
    ...(options.length > 0 ? [`options ${options.join(" ")}`] : []),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/** How long what was read is taken for current without a look, in ms. */
const current = 1000;

/**
 * A resolv.conf as it is now. It is looked at when somebody asks and read when it is another one than before, as the C library
 * does: so whatever replaces it (a rename, the target of a symbolic link, a file system mounted over it) is seen, and a
 * machine where nobody asks costs nothing. A file that is not there names nobody.
 */
export class ResolverFile {
  readonly #path: string;
  #settings: ResolverSettings = parseResolvConf("");
  #version = "";
  #looked = Number.NEGATIVE_INFINITY;

  constructor(path: string = hostFile) {
    this.#path = path;
  }

  get settings(): ResolverSettings {
    const now = performance.now();
    if (now - this.#looked < current) return this.#settings;
    this.#looked = now;
    const version = this.#look();
    if (version !== this.#version) {
      this.#settings = parseResolvConf(version === "" ? "" : this.#read());
      this.#version = version;
    }
    return this.#settings;
  }

  #look(): string {
    const found = statSync(this.#path, { bigint: true, throwIfNoEntry: false });
    return found ? `${found.dev} ${found.ino} ${found.size} ${found.mtimeNs}` : "";
  }

  #read(): string {
    try {
      return readFileSync(this.#path, "utf8");
    } catch {
      return ""; // replaced at this moment; the next look finds another version
    }
  }
}
