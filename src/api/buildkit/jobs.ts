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
  /** Results of other builds of the connection, by the names that the attributes have for them. */
  readonly inputs: ReadonlyMap<string, string>;
}

/** A request to the frontend, whose result other builds may want as an image. */
export class KeptFrontend {
  readonly frontend: Frontend;
  readonly #image = Promise.withResolvers<string>();
  #isWanted = false;

  constructor(frontend: Frontend) {
    this.frontend = frontend;
    this.#image.promise.catch(() => undefined);
  }

  get isWanted(): boolean {
    return this.#isWanted;
  }

  want(): void {
    this.#isWanted = true;
  }

  /** The id of the image, of several platforms the index's digest. */
  get image(): Promise<string> {
    return this.#image.promise;
  }

  made(id: string): void {
    this.#image.resolve(id);
  }

  failed(error: unknown): void {
    this.#image.reject(error);
  }
}

/** One build, from the client's request on. */
export class Job {
  readonly request: Received<typeof SolveRequest>;
  readonly leaves: (id: string) => void;
  readonly #said: Said[] = [];
  readonly #returned = Promise.withResolvers<KeptFrontend | undefined>();
  readonly #frontends = new Map<string, KeptFrontend>();
  #cache: Descriptor | undefined;
  readonly #open = new OpenStatuses();
  #waiting = 0;
  #over = false;
  #isRead = false;
  #more = Promise.withResolvers<void>();
  #less = Promise.withResolvers<void>();

  /** `leaves` is told of images that were only made for other builds. */
  constructor(request: Received<typeof SolveRequest>, leaves: (id: string) => void) {
    this.request = request;
    this.leaves = leaves;
    // Nobody may ever ask.
    this.#returned.promise.catch(() => undefined);
  }

  /** What the client wants built, once it has decided; undefined: nothing. Rejects when it has given up. */
  get returned(): Promise<KeptFrontend | undefined> {
    return this.#returned.promise;
  }

  /** Keeps a request to the frontend, which is carried out when its result is returned; the answer is the result's name. */
  keep(frontend: Frontend): string {
    const id = `${this.request.ref}-${this.#frontends.size}`;
    this.#frontends.set(id, new KeptFrontend(frontend));
    return id;
  }

  kept(id: string): KeptFrontend | undefined {
    return this.#frontends.get(id);
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
    const ended = new SampanError("failed", `the build ${this.request.ref} has ended without this result`);
    for (const kept of this.#frontends.values()) kept.failed(ended);
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
  readonly #left = new Set<string>();

  begin(request: Received<typeof SolveRequest>): Job {
    const { ref } = request;
    if (this.#jobs.has(ref)) throw new SampanError("conflict", `job ID ${ref} exists`);
    const job = new Job(request, (id) => void this.#left.add(id));
    this.#jobs.set(ref, job);
    return job;
  }

  /** The build, which may still be about to begin. */
  get(ref: string, signal: AbortSignal): Promise<Job> {
    return this.#jobs.get(ref, signal, () => new RpcError(codes.notFound, `no such job ${ref}`));
  }

  /** What a result that was kept is made of. Its image is wanted from now on. */
  want(id: string): KeptFrontend {
    const ref = id.slice(0, id.lastIndexOf("-"));
    const kept = this.#jobs.peek(ref)?.kept(id);
    if (kept === undefined) throw new RpcError(codes.notFound, `no such result ${id}`);
    kept.want();
    return kept;
  }

  /** Images without a name that nobody needs once the connection has ended. */
  left(): readonly string[] {
    return [...this.#left];
  }

  /** It is over, and everything was told of it. */
  forget(ref: string): void {
    this.#jobs.delete(ref);
  }
}
