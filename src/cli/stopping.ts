import type { ValuesOf } from "./options.ts";
import { hidden, integer, text } from "./options.ts";

const timeout = integer("t", "Seconds to wait before killing the container");

/** Options of the commands that stop containers; `--time` is what `--timeout` was called once. */
export const stopOptions = {
  signal: text("s", "Signal to send to the container"),
  timeout,
  time: hidden(timeout),
};

/** How to stop, as the API takes it. */
export function howToStop(values: ValuesOf<typeof stopOptions>): {
  t: number | undefined;
  signal: string | undefined;
} {
  return { t: values.timeout ?? values.time, signal: values.signal };
}
