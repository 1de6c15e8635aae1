import type { PatternMatcher } from "../ignore/index.ts";
import { type Expansion, expand } from "./expand.ts";
import type { Linter } from "./linter.ts";
import type {
  AddInstruction,
  CmdInstruction,
  CopyInstruction,
  EntrypointInstruction,
  ExposeInstruction,
  Instruction,
  SourceRange,
} from "./types.ts";

/** Where an instruction stands. */
interface Place {
  readonly scope: Expansion;
  readonly linter: Linter;
  readonly ignore: PatternMatcher | undefined;
  /** Whether the stage has had a `WORKDIR` and a `SHELL`. */
  readonly state: { readonly workdir: boolean; readonly shell: boolean };
}

/** Lints of one instruction in its place. */
export function checkInstruction(instruction: Instruction, place: Place): void {
  const { linter, scope, state } = place;
  switch (instruction.kind) {
    case "ENV":
    case "LABEL":
      for (const { legacy } of instruction.pairs) if (legacy) reportLegacy(instruction, linter);
      if (instruction.kind === "ENV") {
        for (const { key } of instruction.pairs) checkSecret(instruction, expand(key, scope).text, key.range, linter);
      }
      break;
    case "ARG":
      for (const { key } of instruction.args) checkSecret(instruction, expand(key, scope).text, key.range, linter);
      break;
    case "CMD":
    case "ENTRYPOINT":
      if (!state.shell) checkForm(instruction, linter);
      break;
    case "WORKDIR": {
      const { text } = expand(instruction.path, scope);
      if (state.workdir || text.startsWith("/")) break;
      const message = `Relative workdir ${JSON.stringify(text)} can have unexpected results if the base image changes`;
      linter.report("WorkdirRelativePath", message, instruction);
      break;
    }
    case "EXPOSE":
      checkPorts(instruction, place);
      break;
    case "ADD":
    case "COPY":
      checkIgnored(instruction, place);
      break;
    default:
  }
}

function reportLegacy(instruction: Instruction, linter: Linter): void {
  const { kind } = instruction;
  const message = `"${kind} key=value" should be used instead of legacy "${kind} key value" format`;
  linter.report("LegacyKeyValueFormat", message, instruction);
}

const secret = /(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)/i;
const harmless = /(?:_|^)(?:public|file|version)(?:_|$)/i;

/** Names with a word that stands for something secret, at their beginning, end or between underscores. */
function checkSecret(instruction: Instruction, name: string, range: SourceRange, linter: Linter): void {
  if (!secret.test(name) || harmless.test(name)) return;
  const message = `Do not use ARG or ENV instructions for sensitive data (${instruction.kind} ${JSON.stringify(name)})`;
  linter.report("SecretsUsedInArgOrEnv", message, { ...instruction, range });
}

/** A shell as first process does not hand signals on. */
function checkForm(instruction: CmdInstruction | EntrypointInstruction, linter: Linter): void {
  if (instruction.command.form === "exec") return;
  const message = `JSON arguments recommended for ${instruction.kind} to prevent unintended behavior related to OS signals`;
  linter.report("JSONArgsRecommended", message, instruction);
}

function checkPorts({ ports, comments }: ExposeInstruction, { scope, linter }: Place): void {
  for (const word of ports) {
    const at = { range: word.range, comments };
    for (const port of expand(word, scope).words) {
      const protocol = port.split("/")[1] ?? "";
      if (protocol !== protocol.toLowerCase()) {
        linter.report("ExposeProtoCasing", `Defined protocol '${port}' in EXPOSE instruction should be lowercase`, at);
      }
      if (!port.includes(":")) continue;
      const message = `EXPOSE instruction should not define an IP address or host-port mapping, found '${port}'`;
      linter.report("ExposeInvalidFormat", message, at);
    }
  }
}

function checkIgnored(instruction: CopyInstruction | AddInstruction, { scope, linter, ignore }: Place): void {
  const elsewhere = instruction.kind === "COPY" && instruction.from !== undefined;
  // With negated patterns a directory may be left out and something in it not.
  if (elsewhere || ignore === undefined || ignore.hasNegations) return;
  for (const source of instruction.sources) {
    if (source.kind === "heredoc") continue;
    const path = cleanPath(expand(source.path, scope).text);
    if (/^(?:https?|git|ssh):\/\//.test(path)) continue;
    const ignored = path === "." || path === "/" ? ignore.matchesAll : ignore.matches(path);
    if (!ignored) continue;
    const verb = instruction.kind === "ADD" ? "Add" : "Copy";
    const message = `Attempting to ${verb} file ${JSON.stringify(path)} that is excluded by .dockerignore`;
    linter.report("CopyIgnoredFile", message, { ...instruction, range: source.path.range });
  }
}

function cleanPath(path: string): string {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  return parts.length > 0 ? parts.join("/") : ".";
}
