export { openSnapshotStore } from "./store.ts";
export type { LayerRef, Mount, OverlayMount, PreparedDirectory, PrepareOptions, SnapshotStore } from "./types.ts";
