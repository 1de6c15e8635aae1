/** What the header X-Docker-Container-Path-Stat says of a file. */
export interface PathStat {
  readonly name: string;
  readonly size: number;
  /** Go's os.FileMode; see `pathModes`. */
  readonly mode: number;
  readonly mtime: string;
  /** Where a symbolic link leads. */
  readonly linkTarget: string;
}

/** Bits of Go's os.FileMode that say what something is. */
export const pathModes = {
  directory: 2 ** 31,
  symlink: 2 ** 27,
  device: 2 ** 26,
  fifo: 2 ** 25,
  socket: 2 ** 24,
} as const;

/** Whether a mode has a bit of `pathModes`. */
export function hasMode(mode: number, kind: keyof typeof pathModes): boolean {
  return Math.floor(mode / pathModes[kind]) % 2 === 1;
}
