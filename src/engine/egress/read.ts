import type { Container } from "../container/live.ts";
import type { EgressLog } from "./log.ts";
import type { EgressRecord } from "./types.ts";

/** Records that a reader may be behind before it is cut off: it does not read. */
const mostBehind = 4096;

/** What is remembered of a container, and with `follow` what comes until it is removed or `signal` fires. */
export async function* readEgress(
  log: EgressLog,
  container: Container,
  { follow = false, signal }: { readonly follow?: boolean | undefined; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<EgressRecord> {
  const queue = [...log.of(container.id)];
  let wake = (): void => {};
  let ended = !follow;
  const end = () => {
    ended = true;
    wake();
  };
  const unsubscribe = log.subscribe(container.id, (record) => {
    queue.push(record);
    wake();
  });
  if (follow) container.removal(signal).then(end, end);
  try {
    for (;;) {
      const record = queue.shift();
      if (record !== undefined) yield record;
      else if (ended) return;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      if (queue.length > mostBehind || signal?.aborted) return;
    }
  } finally {
    unsubscribe();
  }
}
