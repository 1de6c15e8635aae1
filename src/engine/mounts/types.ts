import type { Propagation, TmpfsMount } from "../../runtime/types.ts";

interface CommonMount {
  /** Absolute and clean path in the container. */
  readonly destination: string;
  readonly readOnly: boolean;
  /** As `-v` spelled its options: the Mode of `inspect`. */
  readonly mode: string;
}

/** A file or directory of the machine. */
export interface ContainerBind extends CommonMount {
  readonly type: "bind";
  readonly source: string;
  readonly recursive: boolean;
  readonly propagation: Propagation;
  /** `-v` makes a missing source a directory, `--mount` refuses. */
  readonly createSource: boolean;
  /** Of a read-only mount: what is mounted below it stays writable. */
  readonly writableBelow?: true;
}

/** A volume; `name` is made up for an anonymous one, which `rm -v` and `--rm` remove with the container. */
export interface ContainerVolume extends CommonMount {
  readonly type: "volume";
  readonly name: string;
  readonly anonymous: boolean;
  /** Directory inside the volume; "" is all of it. */
  readonly subpath: string;
  /** Fill an empty volume with what the image has at the destination. */
  readonly copy: boolean;
  /** What the volume gets when the container is what makes it. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly options?: Readonly<Record<string, string>>;
}

/** Memory that ends with the container. */
export interface ContainerTmpfs extends CommonMount {
  readonly type: "tmpfs";
  readonly options: Pick<TmpfsMount, "size" | "mode" | "uid" | "gid" | "exec" | "suid" | "dev">;
}

/** One mount of a container besides its root, as the record keeps it. */
export type ContainerMount = ContainerBind | ContainerVolume | ContainerTmpfs;
