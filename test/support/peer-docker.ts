import { PeerWorld } from "./peers.ts";
import { eventually, type RunOptions } from "./process.ts";

/** The peers' dockerd with its builder, BuildKit, in a world of its own. */
export class DockerPeer {
  readonly world: PeerWorld;

  private constructor(world: PeerWorld) {
    this.world = world;
  }

  static async start(name: string): Promise<DockerPeer> {
    const world = await PeerWorld.start(name, ["dockerd", "--data-root", "/engine/data"]);
    try {
      const answers = async () => (await world.run(["docker", "version"])).status === 0;
      await eventually("dockerd answers", answers, 60_000);
      return new DockerPeer(world);
    } catch (error) {
      process.stderr.write(`${world.logs()}\n`);
      await world.close();
      throw error;
    }
  }

  /** Loads an archive as `docker save` writes it. */
  async load(archive: Uint8Array): Promise<void> {
    await this.world.bytes(["docker", "load", "-q"], { input: archive });
  }

  /** `docker buildx build ARGS…` in a directory in there. */
  async build(directory: string, args: readonly string[], options: RunOptions = {}): Promise<void> {
    const script = 'cd "$1"; shift; exec docker buildx build "$@"';
    await this.world.bytes(["sh", "-ec", script, "sh", directory, ...args], { timeout: 240_000, ...options });
  }

  async save(name: string): Promise<Buffer> {
    return await this.world.bytes(["docker", "save", name]);
  }

  close(): Promise<void> {
    return this.world.close();
  }
}
