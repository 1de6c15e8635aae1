import { SampanError } from "../../errors/index.ts";
import { type Column, columnOf, layoutOf } from "./columns.ts";

/**
 * ps(1)'s arguments as far as they say what is shown. Which processes are shown is no question: those of the container. What
 * would need more than /proc's usual files (threads, trees, other sort keys) is refused by name.
 */
export function parsePsArguments(text: string): Column[] {
  const options = new PsOptions();
  const words = text.split(/\s+/).filter((word) => word !== "");
  for (let at = 0; at < words.length; ) at += options.take(words[at] ?? "", words[at + 1]);
  return options.columns();
}

const layouts: Readonly<Record<string, string>> = {
  "": "pid tname time comm=CMD",
  f: "user=UID pid ppid c stime tname time cmd",
  F: "user=UID pid ppid c sz rss psr stime tname time cmd",
  l: "f s uid pid ppid c opri ni addr sz wchan tname time comm=CMD",
  fl: "f s user=UID pid ppid c opri ni addr sz wchan stime tname time cmd",
  j: "pid pgid sid tname time comm=CMD",
  fj: "user=UID pid ppid pgid sid c stime tname time cmd",
  bsd: "pid tname stat bsdtime args",
  "bsd u": "user pid %cpu %mem vsz rss tname stat bsdstart bsdtime args",
  "bsd l": "f uid pid ppid opri ni vsz rss wchan stat tname bsdtime args",
  "bsd j": "ppid pid pgid sid tname tpgid stat uid bsdtime args",
};

/** Letters that choose processes, or how wide lines are. */
const choosing = { sysV: "eAadNrTw", bsd: "agrTxwS" } as const;
const formatting = { sysV: "fFlj", bsd: "ulj" } as const;

class PsOptions {
  readonly #chosen: Column[] = [];
  readonly #letters = new Set<string>();
  #bsd = false;

  /** Takes a word, and the one after it when that is its value: answers how many. */
  take(word: string, next: string | undefined): number {
    if (word.startsWith("--")) return this.#long(word, next);
    // "-aux" has always meant "aux" to ps, for nobody is called x.
    if (word.startsWith("-") && word !== "-aux" && word !== "-axu") return this.#bundle(word.slice(1), next, "sysV");
    return this.#bundle(word.replace(/^-/, ""), next, "bsd");
  }

  columns(): Column[] {
    if (this.#chosen.length > 0) return this.#chosen;
    const letters = [...this.#letters].toSorted().join("");
    const layout = layouts[this.#bsd ? `bsd ${letters}`.trim() : letters];
    if (layout === undefined) throw refusal(`options ${letters} together`);
    return layoutOf(layout);
  }

  #bundle(letters: string, next: string | undefined, style: "sysV" | "bsd"): number {
    for (const [index, letter] of [...letters].entries()) {
      if (letter === "o" || (letter === "O" && style === "bsd")) {
        const rest = letters.slice(index + 1);
        this.#choose(rest === "" ? next : rest);
        return rest === "" ? 2 : 1;
      }
      if (formatting[style].includes(letter)) this.#letters.add(letter);
      else if (!choosing[style].includes(letter)) throw refusal(style === "bsd" ? letter : `-${letter}`);
    }
    if (style === "bsd") this.#bsd = true;
    return 1;
  }

  #long(word: string, next: string | undefined): number {
    const [name = "", ...values] = word.split("=");
    const value = values.length > 0 ? values.join("=") : next;
    if (name !== "--format" && name !== "--user-format") throw refusal(name);
    this.#choose(value);
    return values.length > 0 ? 1 : 2;
  }

  #choose(list: string | undefined): void {
    if (list === undefined || list === "") throw failed("error: format specification must follow -o");
    for (const word of list.split(",").filter((name) => name !== "")) {
      const [name = "", heading] = word.split("=");
      const column = columnOf(name);
      if (column === undefined) throw failed(`error: unknown user-defined format specifier "${name}"`);
      this.#chosen.push(heading === undefined ? column : { ...column, heading });
    }
  }
}

/** dockerd passes on what its ps says, with status 500. */
function failed(message: string): SampanError {
  return new SampanError("failed", `ps: ${message}`);
}

function refusal(what: string): SampanError {
  const help = "there are -e, -f, -F, -l, -j, aux and -o with a list of columns";
  return new SampanError(
    "invalid",
    `ps: unsupported ${what}: Sampan reads /proc itself, and knows no such option; ${help}`,
  );
}
