/** A secret as everybody may see it: without what it holds. */
export interface SecretView {
  /** 25 letters and digits, as a swarm's. */
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Counts changes of the labels. */
  readonly version: number;
}

export interface SecretRequest {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly data: Uint8Array;
}

/** What a container is given: HostConfig.Secrets. */
export interface SecretReference {
  /** The secret's name or id. */
  readonly Source: string;
  /** Absolute, or a name below /run/secrets; the secret's name when empty. */
  readonly Target: string;
  readonly UID: number;
  readonly GID: number;
  /** Permission bits. */
  readonly Mode: number;
}

/** Secrets of this machine, without a swarm. Errors carry dockerd's texts. */
export interface Secrets {
  /** "conflict" when the name is taken; answers the id. */
  create(request: SecretRequest): string;
  list(): SecretView[];
  /** By id, name or unique prefix of an id; "not-found" when there is none. */
  get(reference: string): SecretView;
  /** "invalid" while a container, running or not, has it. */
  remove(reference: string): void;
  /** Only labels can change. `version` is that of what the caller has seen. */
  update(reference: string, version: number, labels: Readonly<Record<string, string>>): void;
}
