import { SampanError } from "../errors/index.ts";

/** The longest line of a progress stream that is still believed to be one. */
const maxLine = 8 * 1024 * 1024;

/** The JSON objects of a stream that carries one per line; white space between them is nothing. */
export async function* jsonLines<T>(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<T> {
  for await (const line of textLines(chunks)) yield JSON.parse(line) as T;
}

/** The lines of a stream that have something in them. */
export async function* textLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > maxLine) throw new SampanError("internal", "Cannot read the daemon's answer: a line has no end");
    for (const line of lines) {
      if (line.trim() !== "") yield line.replace(/\r$/, "");
    }
  }
  rest += decoder.decode();
  if (rest.trim() !== "") yield rest;
}
