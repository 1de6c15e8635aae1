import { invalid } from "../errors.ts";

/** `--pid`, `--ipc`, `--uts`: `host`, `private` (the default, sent as empty for PID and UTS) or, for IPC, `shareable`/`none`. */
export function parseNamespaceMode(kind: "pid" | "ipc" | "uts"): (text: string) => string {
  return (text) => {
    if (text === "host" || text === "") return text;
    if (text === "private") return kind === "ipc" ? "private" : "";
    if (kind === "ipc" && (text === "none" || text === "shareable")) return text;
    if (text.startsWith("container:") && kind !== "uts") {
      throw invalid(`joining the ${kind} namespace of another container is not in this version of Sampan yet`);
    }
    throw invalid(`invalid ${kind.toUpperCase()} mode ${JSON.stringify(text)}: use host or private`);
  };
}
