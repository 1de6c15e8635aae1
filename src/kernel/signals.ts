import { SampanError } from "../errors/index.ts";

/** Signal numbers; x86-64 and arm64 agree (signal(7)). */
export const signals = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGSTKFLT: 16,
  SIGCHLD: 17,
  SIGCONT: 18,
  SIGSTOP: 19,
  SIGTSTP: 20,
  SIGTTIN: 21,
  SIGTTOU: 22,
  SIGURG: 23,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGVTALRM: 26,
  SIGPROF: 27,
  SIGWINCH: 28,
  SIGIO: 29,
  SIGPWR: 30,
  SIGSYS: 31,
} as const;

export type SignalName = keyof typeof signals;

/** The real-time signals as glibc counts them: the two below 34 are its own. Docker spells them RTMIN+n and RTMAX-n. */
export const SIGRTMIN = 34;
export const SIGRTMAX = 64;

const aliases: Readonly<Record<string, number>> = { SIGCLD: 17, SIGIOT: 6, SIGPOLL: 29, SIGUNUSED: 31 };

/**
 * The number of a signal given as Docker's `--signal` and `--stop-signal` take it: "15", "TERM", "sigterm", "RTMIN+3".
 * Throws `invalid` with dockerd's text for anything else, signal 0 included.
 */
export function parseSignal(text: string): number {
  const number = /^\d+$/.test(text) ? Number(text) : numberOf(text.toUpperCase());
  if (number === undefined || number < 1 || number > SIGRTMAX) {
    throw new SampanError("invalid", `invalid signal: ${text}`);
  }
  return number;
}

/** The name of a signal: "SIGTERM", "SIGRTMIN+3"; a number without a name comes back as digits. */
export function signalName(number: number): string {
  const named = Object.entries(signals).find(([, value]) => value === number)?.[0];
  if (named !== undefined) return named;
  if (number === SIGRTMAX) return "SIGRTMAX";
  if (number >= SIGRTMIN && number < SIGRTMAX)
    return number === SIGRTMIN ? "SIGRTMIN" : `SIGRTMIN+${number - SIGRTMIN}`;
  return String(number);
}

function numberOf(upper: string): number | undefined {
  const name = upper.startsWith("SIG") ? upper : `SIG${upper}`;
  if (Object.hasOwn(signals, name)) return signals[name as SignalName];
  return Object.hasOwn(aliases, name) ? aliases[name] : realTime(name);
}

/** Docker knows RTMIN to RTMIN+15 and RTMAX-14 to RTMAX. */
function realTime(name: string): number | undefined {
  const match = /^SIGRT(MIN|MAX)(?:([+-])([1-9]\d?))?$/.exec(name);
  if (match === null) return undefined;
  const [, base, sign, digits = "0"] = match;
  if (base === "MIN") return sign !== "-" && Number(digits) <= 15 ? SIGRTMIN + Number(digits) : undefined;
  return sign !== "+" && Number(digits) <= 14 ? SIGRTMAX - Number(digits) : undefined;
}
