/** Docker's commands that are not there, and what to say of them: a command that is known is not mistaken for a slip. */
const later: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ["bake", "buildx bake"].map((name) => [name, "bake files are not in this version of Sampan yet"]),
  ),
  "buildx du": "use system df, which shows the build cache, too",
  checkpoint: "checkpoints are not in this version of Sampan yet",
  compose: "use Docker's Compose with DOCKER_HOST set to Sampan's socket",
  context: "contexts are not in this version of Sampan yet; use --host or SAMPAN_HOST",
  plugin: "plugins are not in this version of Sampan yet",
  trust: "content trust is not in this version of Sampan yet",
  "volume update": "only the volumes of a swarm can be updated, and Sampan has none",
  ...Object.fromEntries(
    ["config", "node", "service", "stack", "swarm"].map((name) => [
      name,
      "Sampan has no swarm: it runs on one machine",
    ]),
  ),
};

/** Of all else that Docker Buildx has. */
const buildx = "of buildx, build and prune are there: Sampan's daemon is the only builder";

/** What stands before the name of such a command in the list above, by its group. */
const groups = new Map([
  ["buildx", "buildx "],
  ["container", ""],
  ["image", ""],
  ["volume", "volume "],
]);

/** Why a command of docker's is not there, in a sentence with its name; undefined when it is none, or is there. */
export function whyLater([first = "", second]: readonly string[]): string | undefined {
  const name = second === undefined || !groups.has(first) ? first : (groups.get(first) ?? "") + second;
  if (!Object.hasOwn(later, name)) return name.startsWith("buildx ") ? `'${name}' is not there: ${buildx}` : undefined;
  return `'${groups.has(first) ? name : first}' is not there: ${later[name]}`;
}
