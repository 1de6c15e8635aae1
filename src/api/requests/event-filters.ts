import type { EngineEvent, Filters } from "../../engine/types.ts";
import { matchesLabels } from "./filters.ts";

/** Actions that carry a command or a state behind a colon; a filter may leave that out. */
const openEnded = new Set(["exec_create", "exec_start", "health_status"]);

/** Whether an event passes Docker's filters: every key must match, one of its values is enough. */
export function matchesEvent(event: EngineEvent, filters: Filters): boolean {
  const { actor, type } = event;
  const any = (key: string, test: (value: string) => boolean): boolean => {
    const values = filters[key];
    return values === undefined || values.length === 0 || values.some(test);
  };
  const named = (value: string): boolean =>
    actor.id.startsWith(value) || (actor.attributes.name ?? "").startsWith(value);
  return (
    any("event", (action) => action === event.action || (openEnded.has(action) && event.action.startsWith(action))) &&
    any("type", (wanted) => wanted === type) &&
    any("scope", (scope) => scope === "local") &&
    any("container", (value) => type === "container" && named(value)) &&
    any("network", (value) => type === "network" && (named(value) || actor.attributes.network === value)) &&
    any("volume", (value) => type === "volume" && named(value)) &&
    any("daemon", (value) => type === "daemon" && named(value)) &&
    any("plugin", () => false) &&
    any("image", (image) => matchesImage(event, image)) &&
    matchesLabels(actor.attributes, filters.label)
  );
}

/** An image's own events, and those of containers made from it. */
function matchesImage({ type, actor }: EngineEvent, image: string): boolean {
  const name = type === "image" ? actor.id : actor.attributes.image;
  if (name === undefined) return false;
  const names = [name, actor.attributes.name ?? "", bare(name), bare(actor.attributes.name ?? "")];
  return type === "image" ? names.includes(image) : name === image || bare(name) === image;
}

/** A name without its tag. */
function bare(name: string): string {
  return name.replace(/:[^/]*$/, "");
}
