export { openLayerStore } from "./store.ts";
export type { AppliedLayer, LayerStore, LayerToAdopt, LayerToApply } from "./types.ts";
