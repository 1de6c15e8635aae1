import type { Executable } from "../kernel/executor.ts";
import type { Step } from "../kernel/program.ts";
import type { NetworkNamespace } from "./network-namespace.ts";
import { sameButId } from "./same-but-id.ts";
import { type StartHost, type StartProgram, startProgram } from "./start.ts";
import { dataAt, type Variables, variablesOf, withoutVariables } from "./start-variables.ts";
import type { ContainerSpec, StartOptions } from "./types.ts";

/** The bytes of a start program, and where in them stands what differs between containers of one kind. */
interface Template {
  readonly key: Key;
  readonly bytes: Buffer;
  /** Where the container's id, or the beginning of it, stands. */
  readonly places: readonly { readonly at: number; readonly length: number }[];
  readonly variables: Variables;
  /** Where each variable begins. */
  readonly variablesAt: readonly number[];
  readonly pid: StartProgram["pid"];
}

/** What containers of one kind have in common but for their ids. */
interface Key {
  readonly id: string;
  readonly spec: unknown;
  readonly options: StartOptions;
  readonly network: NetworkNamespace | undefined;
}

/** So many kinds of containers are started in turn before one has to be built anew. */
const kept = 8;
/** As many digits of an id as are never there by chance; the host name has no more. */
const shortest = 12;

/**
 * Start programs, built once for containers that differ only in their ids, the texts of their own files and what connects
 * them to their networks. A program is a pure function of its spec, and has some five hundred steps: copying its bytes and
 * writing into them what is another container's takes a tenth of building it.
 */
export class StartPrograms {
  readonly #host: Omit<StartHost, "network">;
  #templates: readonly Template[] = [];

  constructor(host: Omit<StartHost, "network">) {
    this.#host = host;
  }

  /** As `startProgram`, on a network namespace that was made ahead, if there is one. */
  get(spec: ContainerSpec, options: StartOptions, network: NetworkNamespace | undefined): StartProgram {
    const key: Key = { id: spec.id, spec: withoutVariables(spec), options, network };
    const variables = variablesOf(spec, network);
    const known = this.#templates.find((template) => fits(template, key, variables));
    const build = () => startProgram(spec, options, { ...this.#host, network });
    if (known) return { program: new PatchedProgram(known, key.id, variables, () => build().program), pid: known.pid };
    const { program, pid } = build();
    const bytes = program.encode();
    const template = {
      key,
      bytes,
      places: placesOf(spec.id, bytes),
      variables,
      variablesAt: program.variables.map(({ from }) => dataAt(bytes) + from),
      pid,
    };
    this.#templates = [template, ...this.#templates].slice(0, kept);
    return { program: { purpose: program.purpose, encode: () => bytes, step: (index) => program.step(index) }, pid };
  }
}

function fits(template: Template, wanted: Key, variables: Variables): boolean {
  const ids = { known: template.key.id, wanted: wanted.id };
  const { id: _, ...known } = template.key;
  return (
    sameButId(known, { spec: wanted.spec, options: wanted.options, network: wanted.network }, ids) &&
    template.variables.shape.equals(variables.shape)
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
  readonly #variables: Variables;
  readonly #build: () => ReturnType<typeof startProgram>["program"];

  constructor(
    template: Template,
    id: string,
    variables: Variables,
    build: () => ReturnType<typeof startProgram>["program"],
  ) {
    this.purpose = `start container ${id.slice(0, 12)}`;
    this.#template = template;
    this.#id = id;
    this.#variables = variables;
    this.#build = build;
  }

  encode(): Buffer {
    const { bytes: known, places, variablesAt } = this.#template;
    const bytes = Buffer.from(known);
    const digits = Buffer.from(this.#id);
    for (const { at, length } of places) digits.copy(bytes, at, 0, length);
    this.#variables.write(bytes, variablesAt);
    return bytes;
  }

  /** Built in full for whoever has to say what has failed. */
  step(index: number): Step | undefined {
    const program = this.#build();
    program.encode();
    return program.step(index);
  }
}
