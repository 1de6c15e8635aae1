import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { DescriptorJson, PlatformJson } from "../../api/shapes/image.ts";
import { configPath } from "../credentials/file.ts";
import { ExitError } from "../errors.ts";

/** A manifest of a list, as docker keeps it in a file; with its text as an object, by which docker knows what it is. */
export interface StoredManifest {
  readonly Ref: string;
  readonly Descriptor: DescriptorJson & { readonly platform?: PlatformJson | undefined };
  /** In base64. */
  readonly Raw: string;
  readonly SchemaV2Manifest?: object;
  readonly OCIManifest?: object;
}

/**
 * The lists that `manifest create` has begun, where docker has them: `~/.docker/manifests`, a directory per list, a file per
 * manifest. Either command goes on with what the other has begun. Names are full ones: "docker.io/library/debian:12".
 */
export class ManifestStore {
  readonly #directory: string;

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#directory = join(dirname(configPath(env)), "manifests");
  }

  /** The manifests of a list; undefined when there is no such list. */
  list(list: string): StoredManifest[] | undefined {
    const directory = this.#at(list);
    return namesIn(directory)?.map((name) => read(join(directory, name)));
  }

  get(list: string, manifest: string): StoredManifest | undefined {
    return this.list(list)?.find(({ Ref }) => Ref === manifest);
  }

  save(list: string, manifest: StoredManifest): void {
    const path = join(this.#at(list), fileName(manifest.Ref));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.new`, JSON.stringify(manifest));
    renameSync(`${path}.new`, path);
  }

  /** Whether there was such a list. */
  remove(list: string): boolean {
    const known = namesIn(this.#at(list)) !== undefined;
    rmSync(this.#at(list), { recursive: true, force: true });
    return known;
  }

  #at(list: string): string {
    return join(this.#directory, fileName(list));
  }
}

/** Docker's way of making a file's name of an image's. */
function fileName(reference: string): string {
  return reference.replaceAll(":", "-").replaceAll("/", "_");
}

function namesIn(directory: string): string[] | undefined {
  try {
    return readdirSync(directory)
      .filter((name) => !name.endsWith(".new"))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new ExitError(1, `Cannot read ${directory}: ${(error as Error).message}`);
  }
}

function read(path: string): StoredManifest {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as StoredManifest;
  } catch (error) {
    throw new ExitError(1, `Cannot read ${path}: ${(error as Error).message}`);
  }
}
