/** Unix times in nanoseconds, which a double cannot hold. */

/** As Docker's JSON writes "never". */
export const never = "0001-01-01T00:00:00Z";

const start = { wall: BigInt(Date.now()) * 1_000_000n, steady: process.hrtime.bigint() };

/** Now: in order among themselves within a process, and never far from the wall clock. */
export function nowNs(): bigint {
  const byClock = BigInt(Date.now()) * 1_000_000n;
  const bySteps = start.wall + process.hrtime.bigint() - start.steady;
  const apart = byClock - bySteps;
  if (apart > -50_000_000n && apart < 50_000_000n) return bySteps;
  // The wall clock was set, or the machine slept.
  start.wall += apart;
  return bySteps + apart;
}

/** RFC 3339 in UTC with nanoseconds, trailing zeros cut off as Go does. 0 is `never`. */
export function rfc3339(ns: bigint): string {
  if (ns === 0n) return never;
  const fraction = fractionOf(ns).replace(/0+$/, "");
  return `${secondsOf(ns)}${fraction === "" ? "" : `.${fraction}`}Z`;
}

/** RFC 3339 in UTC with all nine digits: every line of a log is prefixed equally long. */
export function rfc3339Fixed(ns: bigint): string {
  return `${secondsOf(ns)}.${fractionOf(ns)}Z`;
}

function secondsOf(ns: bigint): string {
  return new Date(Number(ns / 1_000_000n)).toISOString().slice(0, 19);
}

function fractionOf(ns: bigint): string {
  return String(ns % 1_000_000_000n).padStart(9, "0");
}
