import assert from "node:assert/strict";
import { tar } from "../images.ts";
import type { ApiAnswer, Sandbox } from "../sandbox.ts";
import type { Random } from "./random.ts";

export type Status = "absent" | "created" | "running" | "paused" | "exited";

/** How a container of an actor's ends when nobody ends it, and after how many numbered lines. */
export const ownEnd = { code: 5, lines: 60 } as const;

/** Writes numbered lines and ends by itself. */
const counting = `i=0; while [ $i -lt ${ownEnd.lines} ]; do echo $i; i=$((i+1)); sleep 0.005; done; exit ${ownEnd.code}`;
/** Writes one line and waits to be told to end. */
const waiting = "trap 'exit 7' TERM; echo 0; sleep 1000 & wait";

/** What a request came to: done; refused, with a status that says so; or lost with the daemon, done or not. */
type Outcome = "done" | "refused" | "lost";

interface Operation {
  readonly name: string;
  readonly from: readonly Status[];
  /** What the container is afterwards; absent: as before. */
  readonly to?: Status;
  /** What it may be left as when the request does not come to its end. */
  readonly between?: Status;
  run(actor: Actor): Promise<ApiAnswer>;
}

/**
 * One of several users at once: works on a container, an image and a volume of its own, remembers what it was promised, and
 * checks later that it was kept.
 */
export class Actor {
  readonly name: string;
  readonly box: Sandbox;
  readonly random: Random;
  /** What the container may be now: more than one thing while nobody knows how far the last request came. */
  plausible: Set<Status> = new Set(["absent"]);
  /** Its monitor was killed since it was last seen. */
  monitorKilled = false;
  counts = true;
  /** A start that nobody heard of may have written lines, and never happened for all that. */
  #startLost = false;
  /** Files that were acknowledged to be in the container. */
  readonly files = new Map<string, string>();
  readonly image: { present: Set<boolean> } = { present: new Set([false]) };
  readonly volume: { present: Set<boolean> } = { present: new Set([false]) };
  /** Answers that nothing explains but a defect. */
  readonly surprises: string[] = [];
  /** How often each operation was done. */
  readonly done = new Map<string, number>();
  serial = 0;
  /** The last requests and what came of them, for a failure's report. */
  readonly #history: string[] = [];

  constructor(name: string, box: Sandbox, random: Random) {
    this.name = name;
    this.box = box;
    this.random = random;
  }

  /** Does one thing after the other until `until`, or until the daemon is lost. */
  async work(until: AbortSignal): Promise<void> {
    while (!until.aborted) {
      const outcome = this.random.below(4) === 0 ? await this.#aside() : await this.#act();
      if (outcome === "lost") return;
      if (outcome === "refused" && !(await this.#look())) return;
    }
  }

  /** One operation on the container, of those that its state allows. */
  async #act(): Promise<Outcome> {
    const [status = "absent"] = this.plausible;
    const possible = operations.filter(({ from }) => from.includes(status));
    const operation = this.random.pick(possible);
    const before = new Set(this.plausible);
    const { to, between } = operation;
    if (to !== undefined) this.#expect([...before, ...this.#after(to), ...(between === undefined ? [] : [between])]);
    const outcome = await this.#request(operation.name, () => operation.run(this));
    if (to === "running") this.#startLost = outcome === "lost";
    if (outcome !== "done") return outcome;
    if (to !== undefined) this.#expect(this.#after(to));
    if (to === "absent") this.files.clear();
    return "done";
  }

  /** One that counts may have ended by itself whenever it runs. */
  #after(status: Status): Status[] {
    return status === "running" && this.counts ? ["running", "exited"] : [status];
  }

  #expect(statuses: Iterable<Status>): void {
    this.plausible = new Set(statuses);
  }

  /** Something with an image or a volume. */
  async #aside(): Promise<Outcome> {
    const thing = this.random.pick(["image", "volume"] as const);
    const { present } = this[thing];
    const isThere = present.has(true);
    this[thing].present = new Set([true, false]);
    const outcome = await this.#request(`${isThere ? "remove" : "make"} ${thing}`, () =>
      isThere
        ? this.#api("DELETE", thing === "image" ? `/images/${this.name}?force=1` : `/volumes/${this.name}`)
        : make[thing](this),
    );
    if (outcome === "done") this[thing].present = new Set([!isThere]);
    return outcome;
  }

  async #request(what: string, send: () => Promise<ApiAnswer>): Promise<Outcome> {
    let answer: ApiAnswer;
    try {
      answer = await send();
    } catch {
      this.#remember(`${what}: lost`);
      return "lost";
    }
    this.#remember(`${what}: ${answer.status}`);
    if (answer.status >= 500) this.surprises.push(`${this.name}: ${what}: ${answer.status} ${answer.text.trim()}`);
    if (answer.status >= 400) return "refused";
    this.done.set(what, (this.done.get(what) ?? 0) + 1);
    return "done";
  }

  #remember(text: string): void {
    this.#history.push(text);
    if (this.#history.length > 12) this.#history.shift();
  }

  #api(method: string, path: string, body?: unknown): Promise<ApiAnswer> {
    return this.box.api(method, path, body);
  }

  /** Asks what became of everything. False when there is nobody to ask. */
  async #look(): Promise<boolean> {
    try {
      await this.verify();
      return true;
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      return false;
    }
  }

  /** Checks that all is as it was promised, and learns what was left open. */
  async verify(): Promise<void> {
    const { status, json } = await this.#api("GET", `/containers/${this.name}/json`);
    const state = (json as { State?: { Status: Status; ExitCode: number } }).State;
    const found = status === 404 ? "absent" : (state?.Status ?? "absent");
    const allowed = new Set(this.plausible);
    if (this.counts && (allowed.has("running") || allowed.has("paused"))) allowed.add("exited");
    if (this.monitorKilled && (allowed.has("running") || allowed.has("paused"))) allowed.add("exited");
    const history = `(${this.#history.join(", ")}) ${JSON.stringify(state)}`;
    assert.ok(allowed.has(found), `${this.name} is ${found}, but may only be ${[...allowed].join(" or ")} ${history}`);
    this.#expect([found]);
    if (found === "absent") this.files.clear();
    else await this.#verifyContainer(found, state?.ExitCode ?? 0);
    await this.#verifyThing("image", `/images/${this.name}:latest/json`);
    await this.#verifyThing("volume", `/volumes/${this.name}`);
  }

  /** After a loss of power: anything may have become of what was asked, but what is there fits together. */
  async lookAround(): Promise<void> {
    this.plausible = new Set(["absent", "created", "running", "paused", "exited"]);
    this.#startLost = true;
    this.files.clear();
    for (const thing of ["image", "volume"] as const) this[thing].present = new Set([true, false]);
    await this.verify();
  }

  async #verifyContainer(status: Status, code: number): Promise<void> {
    const log = (await this.#api("GET", `/containers/${this.name}/logs?stdout=1`)).bytes;
    const lines = linesOf(log);
    const inOrder = lines.every((line, index) => line === 0 || line === (lines[index - 1] ?? -1) + 1);
    assert.ok(inOrder, `${this.name}: lines are lost: ${lines.join(" ")}`);
    if (status === "exited") {
      assert.ok([ownEnd.code, 7, 137, 143].includes(code), `${this.name} ended with ${code}`);
      const whole = this.#startLost ? lines.includes(ownEnd.lines - 1) : lines.at(-1) === ownEnd.lines - 1;
      if (code === ownEnd.code) assert.ok(whole, `${this.name}: the last lines are lost: ${lines.join(" ")}`);
    }
    for (const [path, text] of this.files) {
      const answer = await this.#api("GET", `/containers/${this.name}/archive?path=${path}`);
      assert.equal(answer.status, 200, `${this.name}: ${path} is lost: ${answer.text}`);
      assert.ok(answer.text.includes(text), `${this.name}: ${path} has changed`);
    }
  }

  async #verifyThing(thing: "image" | "volume", path: string): Promise<void> {
    const { status } = await this.#api("GET", path);
    const isThere = status === 200;
    assert.ok(this[thing].present.has(isThere), `${thing} ${this.name} is ${isThere ? "there again" : "lost"}`);
    this[thing].present = new Set([isThere]);
  }

  /** The bytes that `load` and the like send. */
  async archive(): Promise<Buffer> {
    return await tar([{ name: `file-${++this.serial}`, body: `${this.name} ${this.serial} ${"x".repeat(20_000)}` }]);
  }
}

/** The numbers in a log's frames. */
function linesOf(frames: Buffer): number[] {
  const parts: string[] = [];
  for (let at = 0; at < frames.length; ) {
    const length = frames.readUInt32BE(at + 4);
    parts.push(frames.toString("utf8", at + 8, at + 8 + length));
    at += 8 + length;
  }
  return parts
    .join("")
    .split("\n")
    .filter((line) => line !== "")
    .map(Number);
}

const make = {
  volume: ({ box, name }: Actor) => box.api("POST", "/volumes/create", { Name: name }),
  async image(actor: Actor): Promise<ApiAnswer> {
    const { box, name, random } = actor;
    const [status = "absent"] = actor.plausible;
    if (status !== "absent" && random.below(2) === 0)
      return await box.api("POST", `/commit?container=${name}&repo=${name}`);
    const body = await actor.archive();
    const headers = { "content-type": "application/x-tar" };
    const imported = await box.api("POST", `/images/create?fromSrc=-&repo=${name}`, body, headers);
    if (imported.status !== 200 || random.below(2) === 0) return imported;
    const { bytes } = await box.api("GET", `/images/${name}/get`);
    return await box.api("POST", "/images/load", bytes, headers);
  },
};

function creation({ counts, name, random }: Actor): object {
  const volume = random.below(3) === 0 ? { Volumes: { "/anonymous": {} } } : {};
  const script = counts ? counting : waiting;
  return {
    Image: "busybox",
    Cmd: ["sh", "-c", script],
    Labels: { actor: name },
    ...volume,
    HostConfig: { NetworkMode: "none" },
  };
}

const on = (what: string) => (actor: Actor) => actor.box.api("POST", `/containers/${actor.name}/${what}`);

const operations: readonly Operation[] = [
  {
    name: "create",
    from: ["absent"],
    to: "created",
    run: (actor) => {
      actor.counts = actor.random.below(2) === 0;
      return actor.box.api("POST", `/containers/create?name=${actor.name}`, creation(actor));
    },
  },
  { name: "start", from: ["created", "exited"], to: "running", run: on("start") },
  { name: "start", from: ["created"], to: "running", run: on("start") },
  { name: "stop", from: ["running"], to: "exited", run: on("stop?t=1") },
  { name: "kill", from: ["running"], to: "exited", run: on("kill") },
  { name: "restart", from: ["running", "exited"], to: "running", between: "exited", run: on("restart?t=0") },
  { name: "pause", from: ["running"], to: "paused", run: on("pause") },
  { name: "unpause", from: ["paused"], to: "running", run: on("unpause") },
  {
    name: "copy in",
    from: ["created", "running", "exited"],
    run: async (actor) => {
      const archive = await actor.archive();
      const path = `/file-${actor.serial}`;
      const answer = await actor.box.api("PUT", `/containers/${actor.name}/archive?path=/`, archive);
      if (answer.status === 200) actor.files.set(path, `${actor.name} ${actor.serial} xx`);
      return answer;
    },
  },
  {
    name: "copy out",
    from: ["created", "running", "exited"],
    run: ({ box, name }) => box.api("GET", `/containers/${name}/archive?path=/etc`),
  },
  {
    name: "logs",
    from: ["running", "exited"],
    run: ({ box, name }) => box.api("GET", `/containers/${name}/logs?stdout=1`),
  },
  {
    name: "exec",
    from: ["running"],
    run: async ({ box, name }) => {
      const made = await box.api("POST", `/containers/${name}/exec`, { Cmd: ["true"] });
      if (made.status !== 201) return made;
      return await box.api("POST", `/exec/${(made.json as { Id: string }).Id}/start`, { Detach: true });
    },
  },
  {
    name: "remove",
    from: ["created", "exited"],
    to: "absent",
    run: ({ box, name }) => box.api("DELETE", `/containers/${name}?v=1`),
  },
  {
    name: "remove by force",
    from: ["running", "paused"],
    to: "absent",
    between: "exited",
    run: ({ box, name }) => box.api("DELETE", `/containers/${name}?force=1&v=1`),
  },
  {
    name: "prune",
    from: ["created", "exited"],
    to: "absent",
    run: ({ box, name }) =>
      box.api("POST", `/containers/prune?filters=${encodeURIComponent(JSON.stringify({ label: [`actor=${name}`] }))}`),
  },
];
