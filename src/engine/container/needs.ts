import { parseLink } from "../networks/names.ts";
import type { ContainerRecord } from "../records/record.ts";
import { sharedContainer } from "./modes.ts";

/** The containers without which one does not start, by id or name: whose namespaces it uses, and whom it is linked to. */
export function neededContainers({ hostConfig: host }: Pick<ContainerRecord, "hostConfig">): string[] {
  const shared = [host.NetworkMode, host.PidMode, host.IpcMode, host.UsernsMode].flatMap(
    (mode) => sharedContainer(mode) ?? [],
  );
  return [...shared, ...(host.Links ?? []).map((link) => parseLink(link).container)];
}
