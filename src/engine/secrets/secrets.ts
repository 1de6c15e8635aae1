import { SampanError } from "../../errors/index.ts";
import type { EngineParts } from "../parts.ts";
import type { SecretRequest, Secrets, SecretView } from "./types.ts";

/** Bytes; a swarm's limit. */
const largest = 500 * 1024;

/** The secrets, with the knowledge of who has one. */
export class EngineSecrets implements Secrets {
  readonly #parts: Pick<EngineParts, "secrets" | "registry">;

  constructor(parts: Pick<EngineParts, "secrets" | "registry">) {
    this.#parts = parts;
  }

  create(request: SecretRequest): string {
    const { name, data } = request;
    if (!/^[a-zA-Z0-9]([a-zA-Z0-9_.-]{0,62}[a-zA-Z0-9])?$/.test(name)) {
      const rule =
        "must be 64 characters or fewer, of letters, digits, '-', '_' and '.', beginning and ending with a letter or digit";
      throw new SampanError("invalid", `invalid name ${JSON.stringify(name)} for a secret: it ${rule}`);
    }
    if (data.length === 0 || data.length >= largest) {
      throw new SampanError("invalid", `secret data must be larger than 0 and less than ${largest} bytes`);
    }
    const { secrets } = this.#parts;
    if (secrets.list().some((known) => known.name === name)) {
      throw new SampanError("conflict", `secret ${name} already exists`);
    }
    return secrets.insert(request).id;
  }

  list(): SecretView[] {
    return this.#parts.secrets.list();
  }

  get(reference: string): SecretView {
    const found = this.#parts.secrets.find(reference);
    if (found === undefined) throw new SampanError("not-found", `secret ${reference} not found`);
    return found;
  }

  remove(reference: string): void {
    const { id, name } = this.get(reference);
    const users = [...this.#parts.registry.all()].filter(({ record }) =>
      (record.hostConfig.Secrets ?? []).some(({ Source }) => Source === id),
    );
    if (users.length > 0) {
      const who = `container${users.length === 1 ? "" : "s"}: ${users.map(({ record }) => record.name).join(", ")}`;
      throw new SampanError("invalid", `secret '${name}' is in use by the following ${who}`);
    }
    this.#parts.secrets.delete(id);
  }

  update(reference: string, version: number, labels: Readonly<Record<string, string>>): void {
    const known = this.get(reference);
    if (known.version !== version) throw new SampanError("invalid", "update out of sequence");
    this.#parts.secrets.update(known.id, labels);
  }
}
