import { named, type Slot } from "../../kernel/block.ts";
import * as f from "../../kernel/flags.ts";
import type { Program } from "../../kernel/program.ts";

/**
 * An OOM score that a child inherits: in a user namespace no process may lower its own. The worker takes it for the moment of
 * the clone.
 */
export class LentOomScore {
  readonly #p: Program;
  readonly #file: Slot;
  readonly #own: ReturnType<Program["buffer"]>;
  readonly #length: Slot;

  constructor(p: Program, score: number) {
    this.#p = p;
    const open = named(f.O_RDWR | f.O_CLOEXEC, "O_RDWR|O_CLOEXEC");
    this.#file = p.sys("openat", [f.AT_FDCWD, p.text("/proc/self/oom_score_adj"), open, 0], {
      note: "open its OOM score",
    });
    this.#own = p.buffer(16, "OOM score");
    this.#length = p.sys("read", [this.#file, this.#own, 16], { note: "remember it" });
    const text = String(score);
    p.call("pwrite64", [this.#file, p.text(text), text.length, 0], { note: `let the child inherit ${text}` });
  }

  /** In the worker, after the clone; who has joined a user namespace meanwhile may be refused, and keeps it. */
  takeBack(): void {
    const p = this.#p;
    const options = { note: "have the old one again", tolerate: ["EACCES", "EPERM"] as const };
    p.call("pwrite64", [this.#file, this.#own, this.#length, 0], options);
    p.call("close", [this.#file], { note: "done with its OOM score" });
  }
}
