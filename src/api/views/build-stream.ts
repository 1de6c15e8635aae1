import type { BuildEvent, BuildResult, PlannedStep } from "../../build/types.ts";
import type { ProgressLine } from "../shapes/image.ts";

/** Characters of one step's output that wait for their turn. */
const mostHeld = 2 * 1024 * 1024;

interface Shown {
  readonly place: number;
  readonly instruction: string;
  readonly id: string | undefined;
  /** Text that came before its turn. */
  held: string[];
  /** Characters of it. */
  size: number;
  cached: boolean;
  over: boolean;
}

/**
 * A build in the words of Docker's classic builder, which carries out one instruction after the other. Steps that run side by
 * side are told of one after the other, in the order of the Dockerfile.
 */
export class ClassicBuildStream {
  readonly #write: (line: ProgressLine) => void;
  #steps: Shown[] = [];
  /** The step that is being told of. */
  #turn = 0;
  #begun = false;

  constructor(write: (line: ProgressLine) => void) {
    this.#write = write;
  }

  planned(steps: readonly PlannedStep[]): void {
    const seen = new Set<string>();
    this.#steps = steps.map(({ instruction, id }, place) => {
      // What two instructions share is told of at the first.
      const own = id === undefined || seen.has(id) ? undefined : id;
      if (id !== undefined) seen.add(id);
      return { place, instruction, id: own, held: [], size: 0, cached: false, over: own === undefined };
    });
  }

  event(event: BuildEvent): void {
    if (event.type === "log") {
      const step = this.#find(event.step);
      if (step === undefined || step.place < this.#turn) this.#text(event.data);
      else hold(step, event.data);
    } else if (event.type === "step") {
      const step = this.#find(event.id);
      if (step === undefined) return;
      step.cached = event.cached === true;
      step.over = event.completed !== undefined;
    }
    this.#advance();
  }

  /** A step has failed: what was said so far is told, and where it is. */
  failed(step: string | undefined): void {
    const failed = step === undefined ? undefined : this.#find(step);
    if (failed === undefined) return;
    for (const shown of this.#steps.slice(this.#turn, failed.place + 1)) this.#tell(shown);
  }

  finished({ id, tags }: BuildResult): void {
    for (const step of this.#steps) step.over = true;
    this.#advance();
    if (id === undefined) return;
    this.#write({ aux: { ID: id } });
    this.#text(`Successfully built ${id.replace("sha256:", "").slice(0, 12)}\n`);
    for (const tag of tags) this.#text(`Successfully tagged ${tag}\n`);
  }

  #advance(): void {
    for (let step = this.#steps[this.#turn]; step !== undefined; step = this.#steps[this.#turn]) {
      const started = step.over || step.held.length > 0;
      if (!started) return;
      this.#tell(step);
      if (!step.over) return;
      this.#turn++;
      this.#begun = false;
    }
  }

  #tell(step: Shown): void {
    if (!this.#begun) {
      this.#text(`Step ${step.place + 1}/${this.#steps.length} : ${step.instruction}\n`);
      if (step.cached) this.#text(" ---> Using cache\n");
      this.#begun = true;
    }
    for (const text of step.held.splice(0)) this.#text(text);
    step.size = 0;
  }

  #find(id: string): Shown | undefined {
    return this.#steps.find((step) => step.id === id);
  }

  #text(stream: string): void {
    this.#write({ stream });
  }
}

/** Of what has to wait long only the end is kept: that tells why a step has failed. */
function hold(step: Shown, text: string): void {
  step.held.push(text);
  step.size += text.length;
  while (step.size > mostHeld && step.held.length > 1) step.size -= step.held.shift()?.length ?? 0;
}
