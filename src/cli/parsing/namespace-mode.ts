import { invalid } from "../errors.ts";

type Kind = "pid" | "ipc" | "uts" | "userns" | "cgroupns";

/** What each flag takes besides "": the daemon's default. */
const modes: Readonly<Record<Kind, { readonly called: string; readonly words: readonly string[] }>> = {
  pid: { called: "PID", words: ["host", "private"] },
  ipc: { called: "IPC", words: ["host", "private", "shareable", "none"] },
  uts: { called: "UTS", words: ["host", "private"] },
  userns: { called: "USER", words: ["host"] },
  cgroupns: { called: "CGROUP", words: ["host", "private"] },
};

/** `--pid`, `--ipc`, `--uts`, `--userns`, `--cgroupns`. `private` is sent as empty where the API has no word for it. */
export function parseNamespaceMode(kind: Kind): (text: string) => string {
  const { called, words } = modes[kind];
  return (text) => {
    if (text === "private" && (kind === "pid" || kind === "uts")) return "";
    if (text === "" || words.includes(text)) return text;
    if ((kind === "pid" || kind === "ipc") && /^container:./.test(text)) return text;
    if (kind === "userns") throw invalid("user namespaces are not in this version of Sampan yet: use host");
    const others = kind === "pid" || kind === "ipc" ? [...words, "container:NAME"] : words;
    throw invalid(`invalid ${called} mode: use ${others.slice(0, -1).join(", ")} or ${others.at(-1)}`);
  };
}
