import { join } from "node:path";
import { eventually, runProgram, succeed } from "./process.ts";

export interface Terminal extends AsyncDisposable {
  /** Types text, or keys by tmux's names: "C-c", "Enter", "Up". */
  type(text: string): Promise<void>;
  press(...keys: string[]): Promise<void>;
  resize(columns: number, rows: number): Promise<void>;
  /** What is on the screen, with `escapes` including colours. */
  screen(options?: { escapes?: boolean }): Promise<string>;
  /** Waits until the screen matches, and returns it. */
  shows(pattern: RegExp): Promise<string>;
  close(): Promise<void>;
}

/** Each terminal has a server of its own: that of the last may be on its way out when the next begins. */
let opened = 0;

/** Runs a command in a real terminal, tmux's, of 80 × 24. `directory` keeps its socket. */
export async function openTerminal(
  directory: string,
  command: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Terminal> {
  const socket = join(directory, `tmux${++opened}.sock`);
  const tmux = (...args: string[]) => succeed("tmux", ["-S", socket, "-f", "/dev/null", ...args], { env });
  const quoted = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  // It stays when the command ends, so that the last screen can be read.
  await tmux(
    "new-session",
    "-d",
    "-x",
    "80",
    "-y",
    "24",
    ";",
    "set",
    "-g",
    "remain-on-exit",
    "on",
    ";",
    "set",
    "-g",
    "status",
    "off",
  );
  await tmux("respawn-pane", "-k", `exec ${quoted}`);
  const screen = ({ escapes = false } = {}) => tmux("capture-pane", "-p", ...(escapes ? ["-e"] : []));
  const close = async () => void (await runProgram("tmux", ["-S", socket, "kill-server"], { env }));
  return {
    type: async (text) => void (await tmux("send-keys", "-l", text)),
    press: async (...keys) => void (await tmux("send-keys", ...keys)),
    resize: async (columns, rows) => void (await tmux("resize-window", "-x", `${columns}`, "-y", `${rows}`)),
    screen,
    shows: async (pattern) => {
      let last = "";
      const seen = async () => {
        last = await screen();
        return pattern.test(last) ? last : undefined;
      };
      return await eventually(`the terminal shows ${pattern}`, seen).catch(() => {
        throw new Error(`the terminal does not show ${pattern}:\n${last}`);
      });
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
