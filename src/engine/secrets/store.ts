import { randomInt } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { SampanError } from "../../errors/index.ts";
import { storageError } from "../../storage/content/errors.ts";
import { unlinkIfThere } from "../container/files.ts";
import type { SecretRequest, SecretView } from "./types.ts";

interface StoredSecret extends SecretView {
  /** Base64. */
  readonly data: string;
}

const idLength = 25;
const letters = "0123456789abcdefghijklmnopqrstuvwxyz";

/**
 * One file per secret, readable for root alone, in a directory that only root enters: <root>/secrets/<id>. Read when it is
 * needed and kept nowhere else; docs/decisions/secrets.md says why it is not encrypted.
 */
export class SecretStore {
  readonly #directory: string;

  constructor(root: string) {
    this.#directory = join(root, "secrets");
  }

  list(): SecretView[] {
    return this.#all().map(withoutData);
  }

  find(reference: string): SecretView | undefined {
    const found = this.#find(reference);
    return found && withoutData(found);
  }

  /** What a secret holds. */
  read(reference: string): Buffer | undefined {
    const found = this.#find(reference);
    return found && Buffer.from(found.data, "base64");
  }

  insert({ name, labels, data }: SecretRequest): SecretView {
    const now = new Date().toISOString();
    const id = Array.from({ length: idLength }, () => letters[randomInt(letters.length)]).join("");
    const secret = { id, name, labels, createdAt: now, updatedAt: now, version: 1 };
    this.#write({ ...secret, data: Buffer.from(data).toString("base64") });
    return secret;
  }

  update(id: string, labels: Readonly<Record<string, string>>): void {
    const known = this.#find(id);
    if (known === undefined) return;
    this.#write({ ...known, labels, updatedAt: new Date().toISOString(), version: known.version + 1 });
  }

  delete(id: string): void {
    unlinkSync(join(this.#directory, id));
  }

  #find(reference: string): StoredSecret | undefined {
    const all = this.#all();
    const exact = all.find(({ id }) => id === reference) ?? all.find(({ name }) => name === reference);
    if (exact !== undefined || reference === "") return exact;
    const [first, second] = all.filter(({ id }) => id.startsWith(reference));
    if (second !== undefined) throw new SampanError("invalid", `secret ${reference} is ambiguous (2 matches found)`);
    return first;
  }

  #all(): StoredSecret[] {
    if (!existsSync(this.#directory)) return [];
    return readdirSync(this.#directory)
      .filter((name) => name.length === idLength)
      .map((name) => JSON.parse(readFileSync(join(this.#directory, name), "utf8")) as StoredSecret)
      .sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
  }

  /** Whole or not at all: written aside, to the disk, then renamed. */
  #write(secret: StoredSecret): void {
    const aside = join(this.#directory, `.${secret.id}`);
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      writeFileSync(aside, JSON.stringify(secret), { mode: 0o600, flush: true });
      renameSync(aside, join(this.#directory, secret.id));
      syncDirectory(this.#directory);
    } catch (cause) {
      unlinkIfThere(aside);
      throw storageError(`keep secret ${secret.name}`, cause);
    }
  }
}

/** Makes a rename in it durable. */
function syncDirectory(directory: string): void {
  const fd = openSync(directory, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function withoutData({ data: _, ...view }: StoredSecret): SecretView {
  return view;
}
