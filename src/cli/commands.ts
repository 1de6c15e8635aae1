import type { Command } from "./command.ts";

/** One row of the table of commands: enough to list it without loading it. */
export interface Entry {
  /** Every way to spell the command, the shortest first; the first is the one help shows. */
  readonly paths: readonly string[];
  readonly summary: string;
  /** Shown among the first in help. */
  readonly common?: boolean;
  readonly load: () => Promise<{ readonly default: Command }>;
}

/** Groups of commands and what they are about. */
export const groups: Readonly<Record<string, string>> = {
  builder: "Manage builds",
  buildx: "Manage builds, as Docker Buildx spells it",
  container: "Manage containers",
  egress: "See what egress policies refuse",
  image: "Manage images",
  manifest: "Manage manifest lists of several platforms",
  network: "Manage networks",
  registry: "Hand images to other machines",
  secret: "Manage secrets",
  system: "Manage Sampan",
  volume: "Manage volumes",
};

/**
 * All commands: the common ones in the order of their use, then all others by name. Files are loaded when their command is
 * used: `sampan run` reads nothing of `sampan ps`.
 */
export const commands: readonly Entry[] = [
  {
    paths: ["run", "container run"],
    summary: "Create and run a new container from an image",
    common: true,
    load: () => import("./commands/run.ts"),
  },
  {
    paths: ["exec", "container exec"],
    summary: "Execute a command in a running container",
    common: true,
    load: () => import("./commands/exec.ts"),
  },
  {
    paths: ["ps", "container ls", "container list", "container ps"],
    summary: "List containers",
    common: true,
    load: () => import("./commands/ps.ts"),
  },
  {
    paths: ["build", "image build", "builder build", "buildx build"],
    summary: "Build an image from a Dockerfile",
    common: true,
    load: () => import("./commands/build.ts"),
  },
  {
    paths: ["pull", "image pull"],
    summary: "Download an image from a registry",
    common: true,
    load: () => import("./commands/pull.ts"),
  },
  {
    paths: ["images", "image ls", "image list"],
    summary: "List images",
    common: true,
    load: () => import("./commands/images.ts"),
  },
  {
    paths: ["version"],
    summary: "Show the Sampan version information",
    common: true,
    load: () => import("./commands/version.ts"),
  },
  {
    paths: ["info", "system info"],
    summary: "Display system-wide information",
    common: true,
    load: () => import("./commands/info.ts"),
  },
  {
    paths: ["attach", "container attach"],
    summary: "Attach local standard input, output, and error streams to a running container",
    load: () => import("./commands/attach.ts"),
  },
  {
    paths: ["builder prune", "buildx prune"],
    summary: "Remove build cache",
    load: () => import("./commands/builder-prune.ts"),
  },
  {
    paths: ["commit", "container commit"],
    summary: "Create a new image from a container's changes",
    load: () => import("./commands/commit.ts"),
  },
  {
    paths: ["completion"],
    summary: "Generate the autocompletion script for the specified shell",
    load: () => import("./commands/completion.ts"),
  },
  {
    paths: ["container inspect"],
    summary: "Display detailed information on one or more containers",
    load: () => import("./commands/container-inspect.ts"),
  },
  {
    paths: ["container prune"],
    summary: "Remove all stopped containers",
    load: () => import("./commands/container-prune.ts"),
  },
  {
    paths: ["cp", "container cp"],
    summary: "Copy files/folders between a container and the local filesystem",
    load: () => import("./commands/cp.ts"),
  },
  {
    paths: ["create", "container create"],
    summary: "Create a new container",
    load: () => import("./commands/create.ts"),
  },
  { paths: ["daemon"], summary: "Run the daemon in the foreground", load: () => import("./commands/daemon.ts") },
  {
    paths: ["diff", "container diff"],
    summary: "Inspect changes to files or directories on a container's filesystem",
    load: () => import("./commands/diff.ts"),
  },
  {
    paths: ["egress log"],
    summary: "Show what a container's egress policy has refused",
    load: () => import("./commands/egress-log.ts"),
  },
  {
    paths: ["events", "system events"],
    summary: "Get real time events from the server",
    load: () => import("./commands/events.ts"),
  },
  {
    paths: ["export", "container export"],
    summary: "Export a container's filesystem as a tar archive",
    load: () => import("./commands/export.ts"),
  },
  {
    paths: ["history", "image history"],
    summary: "Show the history of an image",
    load: () => import("./commands/history.ts"),
  },
  {
    paths: ["image inspect"],
    summary: "Display detailed information on one or more images",
    load: () => import("./commands/image-inspect.ts"),
  },
  {
    paths: ["image prune"],
    summary: "Remove unused images",
    load: () => import("./commands/image-prune.ts"),
  },
  {
    paths: ["import", "image import"],
    summary: "Import the contents from a tarball to create a filesystem image",
    load: () => import("./commands/import.ts"),
  },
  {
    paths: ["inspect"],
    summary: "Return low-level information on containers, images, networks and volumes",
    load: () => import("./commands/inspect.ts"),
  },
  {
    paths: ["kill", "container kill"],
    summary: "Kill one or more running containers",
    load: () => import("./commands/kill.ts"),
  },
  {
    paths: ["load", "image load"],
    summary: "Load an image from a tar archive or STDIN",
    load: () => import("./commands/load.ts"),
  },
  { paths: ["login"], summary: "Authenticate to a registry", load: () => import("./commands/login.ts") },
  { paths: ["logout"], summary: "Log out from a registry", load: () => import("./commands/logout.ts") },
  {
    paths: ["logs", "container logs"],
    summary: "Fetch the logs of a container",
    load: () => import("./commands/logs.ts"),
  },
  {
    paths: ["manifest annotate"],
    summary: "Add additional information to a local image manifest",
    load: () => import("./commands/manifest-annotate.ts"),
  },
  {
    paths: ["manifest create"],
    summary: "Create a local manifest list for annotating and pushing to a registry",
    load: () => import("./commands/manifest-create.ts"),
  },
  {
    paths: ["manifest inspect"],
    summary: "Display an image manifest, or manifest list",
    load: () => import("./commands/manifest-inspect.ts"),
  },
  {
    paths: ["manifest push"],
    summary: "Push a manifest list to a repository",
    load: () => import("./commands/manifest-push.ts"),
  },
  {
    paths: ["manifest rm"],
    summary: "Delete one or more manifest lists from local storage",
    load: () => import("./commands/manifest-rm.ts"),
  },
  {
    paths: ["network connect"],
    summary: "Connect a container to a network",
    load: () => import("./commands/network-connect.ts"),
  },
  {
    paths: ["network create"],
    summary: "Create a network",
    load: () => import("./commands/network-create.ts"),
  },
  {
    paths: ["network disconnect"],
    summary: "Disconnect a container from a network",
    load: () => import("./commands/network-disconnect.ts"),
  },
  {
    paths: ["network inspect"],
    summary: "Display detailed information on one or more networks",
    load: () => import("./commands/network-inspect.ts"),
  },
  {
    paths: ["network ls", "network list"],
    summary: "List networks",
    load: () => import("./commands/network-ls.ts"),
  },
  {
    paths: ["network prune"],
    summary: "Remove all unused networks",
    load: () => import("./commands/network-prune.ts"),
  },
  {
    paths: ["network rm", "network remove"],
    summary: "Remove one or more networks",
    load: () => import("./commands/network-rm.ts"),
  },
  {
    paths: ["pause", "container pause"],
    summary: "Pause all processes within one or more containers",
    load: () => import("./commands/pause.ts"),
  },
  {
    paths: ["port", "container port"],
    summary: "List port mappings or a specific mapping for the container",
    load: () => import("./commands/port.ts"),
  },
  {
    paths: ["push", "image push"],
    summary: "Upload an image to a registry",
    load: () => import("./commands/push.ts"),
  },
  {
    paths: ["registry serve"],
    summary: "Serve the images that are here to other machines",
    load: () => import("./commands/registry-serve.ts"),
  },
  {
    paths: ["rename", "container rename"],
    summary: "Rename a container",
    load: () => import("./commands/rename.ts"),
  },
  {
    paths: ["restart", "container restart"],
    summary: "Restart one or more containers",
    load: () => import("./commands/restart.ts"),
  },
  {
    paths: ["rm", "container rm", "container remove"],
    summary: "Remove one or more containers",
    load: () => import("./commands/rm.ts"),
  },
  {
    paths: ["rmi", "image rm", "image remove"],
    summary: "Remove one or more images",
    load: () => import("./commands/rmi.ts"),
  },
  {
    paths: ["save", "image save"],
    summary: "Save one or more images to a tar archive (streamed to STDOUT by default)",
    load: () => import("./commands/save.ts"),
  },
  {
    paths: ["search"],
    summary: "Search Docker Hub for images",
    load: () => import("./commands/search.ts"),
  },
  {
    paths: ["secret create"],
    summary: "Create a secret from a file or STDIN as content",
    load: () => import("./commands/secret-create.ts"),
  },
  {
    paths: ["secret inspect"],
    summary: "Display detailed information on one or more secrets",
    load: () => import("./commands/secret-inspect.ts"),
  },
  {
    paths: ["secret ls", "secret list"],
    summary: "List secrets",
    load: () => import("./commands/secret-ls.ts"),
  },
  {
    paths: ["secret rm", "secret remove"],
    summary: "Remove one or more secrets",
    load: () => import("./commands/secret-rm.ts"),
  },
  {
    paths: ["start", "container start"],
    summary: "Start one or more stopped containers",
    load: () => import("./commands/start.ts"),
  },
  {
    paths: ["stats", "container stats"],
    summary: "Display a live stream of container(s) resource usage statistics",
    load: () => import("./commands/stats.ts"),
  },
  {
    paths: ["stop", "container stop"],
    summary: "Stop one or more running containers",
    load: () => import("./commands/stop.ts"),
  },
  {
    paths: ["system df"],
    summary: "Show disk usage",
    load: () => import("./commands/system-df.ts"),
  },
  {
    paths: ["system dial-stdio"],
    summary: "Proxy the stdio stream to the daemon connection",
    load: () => import("./commands/system-dial-stdio.ts"),
  },
  {
    paths: ["system prune"],
    summary: "Remove unused data",
    load: () => import("./commands/system-prune.ts"),
  },
  {
    paths: ["tag", "image tag"],
    summary: "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
    load: () => import("./commands/tag.ts"),
  },
  {
    paths: ["top", "container top"],
    summary: "Display the running processes of a container",
    load: () => import("./commands/top.ts"),
  },
  {
    paths: ["unpause", "container unpause"],
    summary: "Unpause all processes within one or more containers",
    load: () => import("./commands/unpause.ts"),
  },
  {
    paths: ["update", "container update"],
    summary: "Update configuration of one or more containers",
    load: () => import("./commands/update.ts"),
  },
  {
    paths: ["volume create"],
    summary: "Create a volume",
    load: () => import("./commands/volume-create.ts"),
  },
  {
    paths: ["volume inspect"],
    summary: "Display detailed information on one or more volumes",
    load: () => import("./commands/volume-inspect.ts"),
  },
  {
    paths: ["volume ls", "volume list"],
    summary: "List volumes",
    load: () => import("./commands/volume-ls.ts"),
  },
  {
    paths: ["volume prune"],
    summary: "Remove unused local volumes",
    load: () => import("./commands/volume-prune.ts"),
  },
  {
    paths: ["volume rm", "volume remove"],
    summary: "Remove one or more volumes",
    load: () => import("./commands/volume-rm.ts"),
  },
  {
    paths: ["wait", "container wait"],
    summary: "Block until one or more containers stop, then print their exit codes",
    load: () => import("./commands/wait.ts"),
  },
];

/** The command that the first words of a command line name, with the words that follow it. */
export function findCommand(
  words: readonly string[],
): { readonly path: string; readonly entry: Entry; readonly rest: readonly string[] } | undefined {
  for (const length of [2, 1]) {
    const path = words.slice(0, length).join(" ");
    const entry = commands.find(({ paths }) => paths.includes(path));
    if (entry !== undefined) return { path, entry, rest: words.slice(length) };
  }
  return undefined;
}
