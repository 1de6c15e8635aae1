import { invalid } from "../errors.ts";

type Kind = "pid" | "ipc" | "uts" | "userns" | "cgroupns";

/** What each flag takes besides "": the daemon's default. */
const modes: Readonly<Record<Kind, { readonly called: string; readonly words: readonly string[] }>> = {
  pid: { called: "PID", words: ["host", "private"] },
  ipc: { called: "IPC", words: ["host", "private", "shareable", "none"] },
  uts: { called: "UTS", words: ["host", "private"] },
  userns: { called: "USER", words: ["host", "auto", "keep-id"] },
  cgroupns: { called: "CGROUP", words: ["host", "private"] },
};

/** Those that another container's namespace can be for. */
const joins: readonly Kind[] = ["pid", "ipc", "userns"];

/** `--pid`, `--ipc`, `--uts`, `--userns`, `--cgroupns`. `private` is sent as empty where the API has no word for it. */
export function parseNamespaceMode(kind: Kind): (text: string) => string {
  const { called, words } = modes[kind];
  return (text) => {
    if (text === "private" && (kind === "pid" || kind === "uts")) return "";
    if (text === "" || words.includes(text)) return text;
    if (joins.includes(kind) && /^container:./.test(text)) return text;
    if (kind === "userns" && /^(auto|keep-id):./.test(text)) return text; // whose options the daemon knows
    const others = joins.includes(kind) ? [...words, "container:NAME"] : words;
    throw invalid(`invalid ${called} mode: use ${others.slice(0, -1).join(", ")} or ${others.at(-1)}`);
  };
}
