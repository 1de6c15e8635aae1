import type { ProgressLine } from "../../api/shapes/image.ts";

/** The lines of a push as they come; what is to be said when it is over is added to `notes`. */
export async function* pushNotes(lines: AsyncIterable<ProgressLine>, notes: string[]): AsyncGenerator<ProgressLine> {
  for await (const line of lines) {
    const { aux } = line;
    if (aux !== undefined && "manifestPushedInsteadOfIndex" in aux) {
      notes.push(
        "\ni Info → Not all multiplatform-content is present and only the available single-platform image was pushed",
        `         ${aux.originalIndex.digest} -> ${aux.selectedManifest.digest}`,
      );
    }
    yield line;
  }
}
