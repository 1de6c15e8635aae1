import type { Events } from "../events/log.ts";
import type { Container } from "./live.ts";

/** Tells that something happened to a container, with the attributes Docker gives: its labels, image and name, and more. */
export function containerEvent(
  events: Events,
  { id, record: { name, config } }: Pick<Container, "id" | "record">,
  action: string,
  more: Readonly<Record<string, string>> = {},
): void {
  events.emit("container", action, id, { ...config.Labels, image: config.Image, name, ...more });
}
