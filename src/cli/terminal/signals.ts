/** The signals that are passed on; the others are the kernel's or belong to our own children. */
const passedOn: readonly NodeJS.Signals[] = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGTERM",
  "SIGUSR1",
  "SIGUSR2",
  "SIGALRM",
  "SIGCONT",
  "SIGTSTP",
  "SIGWINCH",
];

/** Passes the signals this process gets on to a container, until disposed of. */
export function proxySignals(send: (signal: string) => Promise<void>): Disposable {
  const listener = (signal: NodeJS.Signals): void => {
    // The container may have ended meanwhile: then the signal has no receiver, and that is no error.
    send(signal.replace(/^SIG/, "")).catch(() => {});
  };
  for (const signal of passedOn) process.on(signal, listener);
  return {
    [Symbol.dispose]: () => {
      for (const signal of passedOn) process.off(signal, listener);
    },
  };
}
