/** The size of a terminal as the API wants it. */
export interface Size {
  readonly h: number;
  readonly w: number;
}

/** Sends the terminal's size now and whenever it changes. The container may not be ready for it yet: tried again shortly. */
export function followSize(stdout: NodeJS.WriteStream, resize: (size: Size) => Promise<void>): Disposable {
  if (!stdout.isTTY) return { [Symbol.dispose]: () => {} };
  let ended = false;
  const send = async (): Promise<void> => {
    for (let attempt = 0; attempt < 5 && !ended; attempt++) {
      const sent = await resize({ h: stdout.rows, w: stdout.columns }).then(
        () => true,
        () => false,
      );
      if (sent) return;
      await new Promise((resolve) => setTimeout(resolve, 10 * (attempt + 1)));
    }
  };
  const listener = (): void => void send();
  stdout.on("resize", listener);
  listener();
  return {
    [Symbol.dispose]: () => {
      ended = true;
      stdout.off("resize", listener);
    },
  };
}
