export { openLayerStore } from "./store.ts";
export type { AppliedLayer, LayerStore, LayerToApply } from "./types.ts";
