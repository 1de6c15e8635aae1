import { type Answer, call, type Step } from "./call.ts";

/** Plays the steps against the API at a socket, one after the other; the answers by the steps' names. */
export async function play(socket: string, steps: readonly Step[]): Promise<Map<string, Answer>> {
  const answers = new Map<string, Answer>();
  const kept = new Map<string, string>();
  const playAll = async (list: readonly Step[]): Promise<void> => {
    for (const step of list) {
      if (answers.has(step.name)) throw new Error(`two steps are called ${step.name}`);
      if (step.pause !== undefined) await new Promise((resolve) => setTimeout(resolve, step.pause));
      const filled = { ...step, path: fill(step.path, kept), body: filledBody(step.body, kept) };
      const answer = await call(socket, filled, () => playAll(step.during ?? [])).catch((error: unknown) => {
        throw new Error(`step ${step.name} has no answer`, { cause: error });
      });
      answers.set(step.name, answer);
      if (step.keep !== undefined) kept.set(step.keep[0], memberOf(answer.body, step.keep[1]));
    }
  };
  kept.set("begin", String(Math.floor(Date.now() / 1000)));
  await playAll(steps);
  return answers;
}

function fill(text: string, kept: ReadonlyMap<string, string>): string {
  const now = String(Math.floor(Date.now() / 1000) + 1);
  return text.replace(/\{\{(\w+)\}\}/g, (_all, name: string) => (name === "now" ? now : (kept.get(name) ?? "?")));
}

function filledBody(body: unknown, kept: ReadonlyMap<string, string>): unknown {
  if (body === undefined || body instanceof Uint8Array) return body;
  return JSON.parse(fill(JSON.stringify(body), kept));
}

function memberOf(body: unknown, name: string): string {
  return String((body as Record<string, unknown> | undefined)?.[name] ?? "?");
}
