export { openSnapshotStore } from "./store.ts";
export type { LayerRef, Mount, OverlayMount, PreparedDirectory, SnapshotStore } from "./types.ts";
