import { SampanError } from "../../errors/index.ts";
import type { ImageUser } from "../../images/types.ts";
import type { Container } from "../container/live.ts";
import { isFullId } from "../identity/ids.ts";
import type { ContainerRecord } from "./record.ts";
import type { ContainerTable } from "./store.ts";

/** All containers by id and name, in memory and in the database, which always agree. */
export class Registry {
  readonly #table: ContainerTable;
  readonly #byId = new Map<string, Container>();
  readonly #byName = new Map<string, Container>();
  /** Names of containers that are being made. */
  readonly #reserved = new Set<string>();
  readonly #pins = new Map<string, number>();
  /** How many containers are made from an image. */
  readonly #byImage = new Map<string, Set<Container>>();
  /** Containers that have asked for links: few, and every start and end asks for them. */
  readonly #linking = new Set<Container>();

  constructor(table: ContainerTable) {
    this.#table = table;
  }

  all(): Iterable<Container> {
    return this.#byId.values();
  }

  get size(): number {
    return this.#byId.size;
  }

  ofImage(imageId: string): ReadonlySet<Container> {
    return this.#byImage.get(imageId) ?? new Set();
  }

  /** Those that are linked to others. */
  linking(): ReadonlySet<Container> {
    return this.#linking;
  }

  /** By id, name (with or without a slash) or unique prefix of an id; "not-found" with dockerd's text. */
  get(reference: string): Container {
    const found = this.find(reference);
    if (found === undefined) throw new SampanError("not-found", `No such container: ${reference}`);
    return found;
  }

  find(reference: string): Container | undefined {
    const name = reference.startsWith("/") ? reference.slice(1) : reference;
    const exact = this.#byId.get(reference) ?? this.#byName.get(name);
    if (exact !== undefined || isFullId(reference) || !/^[0-9a-f]+$/.test(reference)) return exact;
    const [first, second] = this.#table.withPrefix(reference);
    if (second !== undefined) {
      throw new SampanError("invalid", `multiple IDs found with provided prefix: ${reference}`);
    }
    return first === undefined ? undefined : this.#byId.get(first);
  }

  /** Keeps a name for a container that is being made; "conflict" with dockerd's text when it is taken. */
  reserve(name: string): Disposable {
    const owner = this.#byName.get(name);
    if (owner !== undefined || this.#reserved.has(name)) {
      const by = owner === undefined ? "another request" : `container "${owner.id}"`;
      const help = "You have to remove (or rename) that container to be able to reuse that name.";
      throw new SampanError("conflict", `Conflict. The container name "/${name}" is already in use by ${by}. ${help}`);
    }
    this.#reserved.add(name);
    return { [Symbol.dispose]: () => void this.#reserved.delete(name) };
  }

  /** Keeps an image for a container that is being made. */
  pin(imageId: string): Disposable {
    this.#pins.set(imageId, (this.#pins.get(imageId) ?? 0) + 1);
    return {
      [Symbol.dispose]: () => {
        const left = (this.#pins.get(imageId) ?? 1) - 1;
        if (left === 0) this.#pins.delete(imageId);
        else this.#pins.set(imageId, left);
      },
    };
  }

  /** Who stands on an image, the containers that are being made included. */
  usersOf(imageId: string): ImageUser[] {
    const users = [...this.ofImage(imageId)].map(({ id, isRunning }) => ({ id, running: isRunning }));
    return this.#pins.has(imageId) ? [...users, { id: "being created", running: true }] : users;
  }

  isFree(name: string): boolean {
    return !this.#byName.has(name) && !this.#reserved.has(name);
  }

  insert(container: Container): void {
    this.#table.insert(container.record);
    this.index(container);
  }

  /** Of a container that is in the database already. */
  index(container: Container): void {
    this.#byId.set(container.id, container);
    this.#byName.set(container.record.name, container);
    const { imageId } = container.record;
    const siblings = this.#byImage.get(imageId) ?? new Set();
    this.#byImage.set(imageId, siblings.add(container));
    // Links are asked for when a container is made, and never change.
    if (container.record.hostConfig.Links !== null) this.#linking.add(container);
  }

  writeState(container: Container): void {
    this.#table.writeState(container.id, container.state);
  }

  /** That it has ended. Its log is on the disk before that is. */
  writeExit(container: Container): void {
    this.#table.writeExit(container.id, container.state, container.files.log);
  }

  rename(container: Container, name: string): void {
    const record = { ...container.record, name };
    this.#table.writeRecord(record);
    this.#byName.delete(container.record.name);
    container.record = record;
    this.#byName.set(name, container);
  }

  /** Anything but its name has changed. */
  writeRecord(container: Container, record: ContainerRecord): void {
    this.#table.writeRecord(record);
    container.record = record;
  }

  delete(container: Container): void {
    this.#table.delete(container.id);
    this.#byId.delete(container.id);
    this.#byName.delete(container.record.name);
    this.#linking.delete(container);
    const siblings = this.#byImage.get(container.record.imageId);
    siblings?.delete(container);
    if (siblings?.size === 0) this.#byImage.delete(container.record.imageId);
  }
}
