import type { Executable } from "../kernel/executor.ts";
import type { Step } from "../kernel/program.ts";
import type { NetworkNamespace } from "./network-namespace.ts";
import { sameButId } from "./same-but-id.ts";
import { type StartHost, type StartProgram, startProgram } from "./start.ts";
import type { ContainerSpec, StartOptions } from "./types.ts";

/** The bytes of a start program, and where in them the container's id, or the beginning of it, stands. */
interface Template {
  readonly spec: ContainerSpec;
  readonly options: StartOptions;
  readonly network: NetworkNamespace | undefined;
  readonly bytes: Buffer;
  readonly places: readonly { readonly at: number; readonly length: number }[];
  readonly pid: StartProgram["pid"];
}

/** So many kinds of containers are started in turn before one has to be built anew. */
const kept = 8;
/** As many digits of an id as are never there by chance; the host name has no more. */
const shortest = 12;

/**
 * Start programs, built once for containers that differ only in their id. A program is a pure function of its spec, and
 * has some four hundred steps: copying its bytes and writing another id into them takes a tenth of building it.
 */
export class StartPrograms {
  readonly #host: Omit<StartHost, "network">;
  #templates: readonly Template[] = [];

  constructor(host: Omit<StartHost, "network">) {
    this.#host = host;
  }

  /** As `startProgram`, on a network namespace that was made ahead, if there is one. */
  get(spec: ContainerSpec, options: StartOptions, network: NetworkNamespace | undefined): StartProgram {
    const build = () => startProgram(spec, options, { ...this.#host, network });
    if (spec.connect) return build(); // what it adds is its own
    const fits = (known: Template) => sameSpec(known, { spec, options, network });
    const known = this.#templates.find(fits);
    if (known) return { program: new PatchedProgram(known, spec.id, () => build().program), pid: known.pid };
    const { program, pid } = build();
    const bytes = program.encode();
    this.#templates = [
      { spec, options, network, bytes, places: placesOf(spec.id, bytes), pid },
      ...this.#templates,
    ].slice(0, kept);
    return { program: { purpose: program.purpose, encode: () => bytes, step: (index) => program.step(index) }, pid };
  }
}

function sameSpec(known: Template, wanted: Pick<Template, "spec" | "options" | "network">): boolean {
  const ids = { known: known.spec.id, wanted: wanted.spec.id };
  return (
    sameButId(known.network, wanted.network, ids) &&
    sameButId(known.options, wanted.options, ids) &&
    sameButId(known.spec, wanted.spec, ids)
  );
}

function placesOf(id: string, bytes: Buffer): Template["places"] {
  const places: { at: number; length: number }[] = [];
  const digits = Buffer.from(id);
  const beginning = digits.subarray(0, shortest);
  for (let at = bytes.indexOf(beginning); at >= 0; ) {
    let length = shortest;
    while (length < digits.length && bytes[at + length] === digits[length]) length++;
    places.push({ at, length });
    at = bytes.indexOf(beginning, at + length);
  }
  return places;
}

/** The program of another container of the same kind. */
class PatchedProgram implements Executable {
  readonly purpose: string;
  readonly #template: Template;
  readonly #id: string;
  readonly #build: () => ReturnType<typeof startProgram>["program"];

  constructor(template: Template, id: string, build: () => ReturnType<typeof startProgram>["program"]) {
    this.purpose = `start container ${id.slice(0, 12)}`;
    this.#template = template;
    this.#id = id;
    this.#build = build;
  }

  encode(): Buffer {
    const bytes = Buffer.from(this.#template.bytes);
    const digits = Buffer.from(this.#id);
    for (const { at, length } of this.#template.places) digits.copy(bytes, at, 0, length);
    return bytes;
  }

  /** Built in full for whoever has to say what has failed. */
  step(index: number): Step | undefined {
    const program = this.#build();
    program.encode();
    return program.step(index);
  }
}
