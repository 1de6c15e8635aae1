import type { BuildEvent } from "../../build/types.ts";
import { orCancelled } from "../../errors/cancel.ts";
import { SampanError } from "../../errors/index.ts";
import type { Descriptor } from "../../images/shapes.ts";
import type { Received, Sent } from "../grpc/schema.ts";
import { codes, RpcError } from "../grpc/status.ts";
import { Expected } from "./expected.ts";
import type { SolveRequest, StatusResponse } from "./messages/control.ts";
import { OpenStatuses, statusOf } from "./status.ts";

type Said = Sent<typeof StatusResponse>;

/** Bytes of output that may wait for a client that does not read, and that one that has not asked yet gets. */
const waitingLimit = 1024 * 1024;

/** What the frontend is asked for, which a client does by a call of its own. */
export interface Frontend {
  readonly attributes: ReadonlyMap<string, string>;
}

/** One build, from the client's request on. */
export class Job {
  readonly request: Received<typeof SolveRequest>;
  readonly #said: Said[] = [];
  readonly #returned = Promise.withResolvers<Frontend | undefined>();
  readonly #frontends = new Map<string, Frontend>();
  #cache: Descriptor | undefined;
  readonly #open = new OpenStatuses();
  #waiting = 0;
  #over = false;
  #isRead = false;
  #more = Promise.withResolvers<void>();
  #less = Promise.withResolvers<void>();

  constructor(request: Received<typeof SolveRequest>) {
    this.request = request;
    // Nobody may ever ask.
    this.#returned.promise.catch(() => undefined);
  }

  /** What the client wants built, once it has decided; undefined: nothing. Rejects when it has given up. */
  get returned(): Promise<Frontend | undefined> {
    return this.#returned.promise;
  }

  /** Keeps a request to the frontend, which is carried out when its result is returned; the answer is the result's name. */
  keep(frontend: Frontend): string {
    const id = `${this.request.ref}-${this.#frontends.size}`;
    this.#frontends.set(id, frontend);
    return id;
  }

  /** The client has decided: for one of the results, or for none. */
  return(id: string | undefined): void {
    const frontend = id === undefined ? undefined : this.#frontends.get(id);
    if (id !== undefined && frontend === undefined) throw new RpcError(codes.notFound, `no such ref ${id}`);
    this.#returned.resolve(frontend);
  }

  /** The manifest of the cache that the client's directory has now. */
  get cache(): Descriptor | undefined {
    return this.#cache;
  }

  keepCache(root: Descriptor): void {
    this.#cache = root;
  }

  giveUp(error: Error): void {
    this.#returned.reject(error);
  }

  tell(event: BuildEvent): void {
    for (const one of this.#open.before(event)) this.#say(one);
    this.#say(event);
  }

  #say(event: BuildEvent): void {
    const said = statusOf(event, this.request.ref);
    if (said === undefined || this.#over) return;
    const size = sizeOf(said);
    if (size > 0 && !this.#isRead && this.#waiting > waitingLimit) return;
    this.#waiting += size;
    this.#said.push(said);
    this.#more.resolve();
  }

  /** What output waits for, while the client reads more slowly than it is told. */
  ready(): Promise<void> | undefined {
    return this.#isRead && this.#waiting > waitingLimit ? this.#less.promise : undefined;
  }

  /** Everything that was told and will be, to its end. */
  async *status(signal: AbortSignal): AsyncGenerator<Said> {
    this.#isRead = true;
    try {
      for (;;) {
        for (let said = this.#said.shift(); said !== undefined; said = this.#said.shift()) {
          yield said;
          this.#read(said);
        }
        if (this.#over) return;
        this.#more = Promise.withResolvers();
        await orCancelled(this.#more.promise, signal);
      }
    } finally {
      this.#isRead = false;
      this.#less.resolve();
    }
  }

  /** Nothing more will be told. */
  end(): void {
    this.#over = true;
    this.#more.resolve();
  }

  #read(said: Said): void {
    this.#waiting -= sizeOf(said);
    if (this.#waiting > waitingLimit / 2) return;
    this.#less.resolve();
    this.#less = Promise.withResolvers();
  }
}

/** Bytes of output. */
function sizeOf({ logs = [] }: Said): number {
  return logs.reduce((sum, { message }) => sum + (message?.length ?? 0), 0);
}

/** The builds of one connection, by their names. Nobody else sees them. */
export class Jobs {
  readonly #jobs = new Expected<Job>();

  begin(request: Received<typeof SolveRequest>): Job {
    const { ref } = request;
    if (this.#jobs.has(ref)) throw new SampanError("conflict", `job ID ${ref} exists`);
    const job = new Job(request);
    this.#jobs.set(ref, job);
    return job;
  }

  /** The build, which may still be about to begin. */
  get(ref: string, signal: AbortSignal): Promise<Job> {
    return this.#jobs.get(ref, signal, () => new RpcError(codes.notFound, `no such job ${ref}`));
  }

  /** It is over, and everything was told of it. */
  forget(ref: string): void {
    this.#jobs.delete(ref);
  }
}
