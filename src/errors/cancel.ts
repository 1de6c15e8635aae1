import { SampanError } from "./index.ts";

/** The error of work that was given up because nobody wants it any more. */
export function cancelled(signal: AbortSignal): SampanError {
  if (signal.reason instanceof SampanError) return signal.reason;
  return new SampanError("cancelled", "The operation was cancelled", { cause: signal.reason });
}

/** `work`, or kind "cancelled" as soon as the signal fires; the work itself goes on. */
export async function orCancelled<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work;
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(cancelled(signal));
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
