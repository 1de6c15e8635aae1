import type { Readable } from "node:stream";
import type { BuildEvent, ErrorEvent, LintEvent, ResultEvent } from "../../api/shapes/build.ts";
import { SampanError } from "../../errors/index.ts";
import { openContext } from "../build/open-context.ts";
import type { BuildSettings } from "../builds.ts";
import type { SampanClient } from "../client.ts";
import type { Cancellable } from "./options.ts";

export interface BuildOptions extends Cancellable {
  /** Names for the image. */
  readonly tags?: readonly string[] | undefined;
  /** Path of the Dockerfile, or its text. Without it, `Dockerfile` in the context. */
  readonly dockerfile?: string | { readonly text: string } | undefined;
  readonly target?: string | undefined;
  readonly buildArgs?: Readonly<Record<string, string>> | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** What `RUN --mount=type=secret` gets, by id. They are in no layer, no history, no cache key and no log. */
  readonly secrets?: Readonly<Record<string, string | Uint8Array>> | undefined;
  /** Sockets of ssh agents by id, for `RUN --mount=type=ssh`; on the daemon's machine. */
  readonly ssh?: Readonly<Record<string, string>> | undefined;
  /** More contexts by name: directories, `docker-image://…`, or repositories (`https://….git#ref:directory`). */
  readonly contexts?: Readonly<Record<string, string>> | undefined;
  /** Several, with commas between them, make one index. */
  readonly platform?: string | undefined;
  /** Nothing is taken from the cache. */
  readonly noCache?: boolean | undefined;
  /** Base images are looked for in their registries, also when they are here. */
  readonly pull?: boolean | undefined;
  /** Of `RUN`: "default", "none", "host". */
  readonly network?: string | undefined;
  readonly onProgress?: ((event: BuildEvent) => void) | undefined;
}

/** An image that was built. */
export interface BuiltImage {
  /** Of several platforms the index's digest. */
  readonly id: string;
  /** The manifest's digest, or the index's. */
  readonly digest: string | undefined;
  readonly tags: readonly string[];
  /** What the linter says of the Dockerfile. */
  readonly lints: readonly LintEvent["lint"][];
}

/** A build that failed: in a step, or before there were any. */
export class BuildError extends SampanError {
  /** The step, as progress names it. */
  readonly step: string | undefined;
  /** What the step wrote, its end at most. */
  readonly output: string;
  /** What the command of the step ended with. */
  readonly exitCode: number | undefined;

  constructor({ kind, message, exitCode }: ErrorEvent, step: string | undefined, output: string) {
    super(kind, message);
    this.name = "BuildError";
    this.step = step;
    this.output = output;
    this.exitCode = exitCode;
  }
}

/** How much of every step's output is remembered, in UTF-16 code units. */
const remembered = 64 * 1024;

/** Builds an image; see `Sampan.build`. */
export async function buildImage(
  client: SampanClient,
  context: string | Readable,
  options: BuildOptions,
): Promise<BuiltImage> {
  const { dockerfile, signal, onProgress } = options;
  const directories = entries(options.contexts, (value) => !isElsewhere(value));
  const settings = settingsOf(options);
  const { upload, inline, name, ...opened } = openContext({ context, dockerfile, directories, settings });
  const { tags = [], target, buildArgs = {}, labels = {}, platform, noCache = false, pull = false, network } = options;
  const request = { t: tags, target, buildargs: buildArgs, labels, platform, nocache: noCache, pull };
  const answer = await client.builds.build(
    { ...opened, dockerfilename: name, ...request, networkmode: network, ...(inline && { settings: "tar" }) },
    upload,
    { settings: inline ? undefined : settings, signal },
  );
  return new Watch(onProgress).follow(answer.events());
}

function settingsOf({ secrets = {}, ssh = {}, contexts = {} }: BuildOptions): BuildSettings {
  const encoded = Object.entries(secrets).map(([id, value]) => [id, Buffer.from(value).toString("base64")]);
  const named = Object.entries(contexts).map(([name, value]) => [name, isElsewhere(value) ? value : "local"]);
  return {
    ...(encoded.length > 0 && { secrets: Object.fromEntries(encoded) }),
    ...(Object.keys(ssh).length > 0 && { ssh }),
    ...(named.length > 0 && { contexts: Object.fromEntries(named) }),
  };
}

function isElsewhere(context: string): boolean {
  return context.includes("://") || context.startsWith("git@");
}

function entries(
  record: Readonly<Record<string, string>> = {},
  wanted: (value: string) => boolean,
): Record<string, string> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => wanted(value)));
}

/** Reads a build's events to their end. */
class Watch {
  readonly #tell: ((event: BuildEvent) => void) | undefined;
  readonly #names = new Map<string, string>();
  readonly #outputs = new Map<string, string>();
  readonly #lints: LintEvent["lint"][] = [];
  #result: ResultEvent | undefined;
  #failure: BuildError | undefined;

  constructor(tell: ((event: BuildEvent) => void) | undefined) {
    this.#tell = tell;
  }

  async follow(events: AsyncIterable<BuildEvent>): Promise<BuiltImage> {
    for await (const event of events) {
      this.#tell?.(event);
      this.#take(event);
    }
    if (this.#failure !== undefined) throw this.#failure;
    const { id, digest, tags = [] } = this.#result ?? {};
    if (id === undefined) throw new SampanError("unavailable", "Cannot build: the daemon went away in the middle");
    return { id, digest, tags, lints: this.#lints };
  }

  #take(event: BuildEvent): void {
    if (event.type === "step") this.#names.set(event.id, event.name);
    else if (event.type === "log") {
      const output = (this.#outputs.get(event.step) ?? "") + event.data;
      this.#outputs.set(event.step, output.slice(-remembered));
    } else if (event.type === "lint") this.#lints.push(event.lint);
    else if (event.type === "result") this.#result = event;
    else if (event.type === "error") {
      const { step = "" } = event;
      this.#failure ??= new BuildError(event, this.#names.get(step), this.#outputs.get(step) ?? "");
    }
  }
}
