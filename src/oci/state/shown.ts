import { type Status, statusOf } from "./status.ts";
import type { ContainerRecord, Store } from "./store.ts";

/** What `state` and `list` tell of a container (runtime.md, "State"), with runc's extra fields. */
export interface ShownState {
  readonly ociVersion: string;
  readonly id: string;
  /** 0 when it has stopped. */
  readonly pid: number;
  readonly status: Status;
  readonly bundle: string;
  readonly rootfs: string;
  readonly created: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly owner: string;
}

export function shownState(store: Store, record: ContainerRecord): ShownState {
  const status = statusOf(store, record);
  const { ociVersion, id, bundle, rootfs, created, annotations, owner } = record;
  const pid = status === "stopped" ? 0 : record.pid;
  return { ociVersion, id, pid, status, bundle, rootfs, created, annotations, owner };
}
