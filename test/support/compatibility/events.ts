interface Message {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
}

/**
 * Events as two engines can have them in common: what has happened to each actor, and which members and attributes
 * an event has. Order is a matter of other tests: dockerd's own is not always the same.
 */
export function eventsOf(messages: readonly Message[]): unknown {
  const actors = new Map<string, string>();
  const actions: Record<string, string[]> = {};
  const members: Record<string, string> = {};
  for (const message of messages) {
    const { Type, Action, Actor } = message;
    const count = [...actors.values()].filter((actor) => actor.startsWith(`${Type} `)).length;
    const actor = actors.get(`${Type} ${Actor.ID}`) ?? `${Type} ${count + 1}`;
    actors.set(`${Type} ${Actor.ID}`, actor);
    const action = Action.replace(/:.*/, "");
    actions[actor] = [...new Set([...(actions[actor] ?? []), Action])].toSorted();
    const attributes = Object.keys(Actor.Attributes).toSorted();
    const rest = Object.keys(message).toSorted();
    members[`${Type} ${action}`] ??= `${rest.join(" ")}: ${attributes.join(" ")}`;
  }
  const told = Object.entries(actions).map(([actor, list]) => [actor, list.join(", ")]);
  return { actions: Object.fromEntries(told), members };
}
