/**
 * Hands every key to the container: no echo, no line editing, no signals from the keyboard. The returned function, and the
 * end of the process by whatever way, give the terminal back as it was.
 */
export function rawMode(stdin: NodeJS.ReadStream): Disposable {
  if (!stdin.isTTY) return { [Symbol.dispose]: () => {} };
  const wasRaw = stdin.isRaw;
  stdin.setRawMode(true);
  const restore = (): void => {
    process.off("exit", restore);
    stdin.setRawMode(wasRaw);
  };
  process.on("exit", restore);
  return { [Symbol.dispose]: restore };
}
