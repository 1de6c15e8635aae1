import type { Running } from "../../runtime/types.ts";
import type { Container } from "../container/live.ts";

interface Shared {
  readonly running: Running;
  readonly begun: Promise<void>;
  users: number;
  end: () => void;
}

const shared = new WeakMap<Container, Shared>();

/**
 * Keeps a container from being started, removed and the like while its files are worked on, until the answer is disposed of.
 * Any number may work in one that runs; one that does not has its root file system mounted for one at a time.
 */
export async function holdContainer(container: Container): Promise<Disposable> {
  const known = shared.get(container);
  if (known !== undefined && container.running === known.running) {
    known.users++;
    await known.begun;
    return { [Symbol.dispose]: () => leave(container, known) };
  }
  const begun = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const { running } = container;
  const mine = running && { running, begun: begun.promise, users: 1, end: ended.resolve };
  if (mine !== undefined) shared.set(container, mine);
  container.lock.run(() => {
    begun.resolve();
    return ended.promise;
  });
  await begun.promise;
  return { [Symbol.dispose]: () => (mine === undefined ? ended.resolve() : leave(container, mine)) };
}

function leave(container: Container, hold: Shared): void {
  hold.users--;
  if (hold.users > 0) return;
  if (shared.get(container) === hold) shared.delete(container);
  hold.end();
}
