const longest = 255;
const pointer = 0xc0;

/**
 * Reads a name at `start`: as people write it, in lower case, without the dot at its end; bytes that are no letters are
 * "\ddd" (RFC 1035 §5.1). Undefined where there is none, or one that points to what does not come before it: so pointers
 * come to an end. In a question, `pointers` is false: there is nothing before it.
 */
export function readName(bytes: Buffer, start: number, pointers: boolean): { name: string; end: number } | undefined {
  let name = "";
  let end: number | undefined;
  let size = 0;
  let before = start;
  for (let at = start; size < longest; ) {
    const length = bytes[at++];
    if (length === 0) return { name: name.toLowerCase(), end: end ?? at };
    if (length === undefined) return undefined;
    if (pointers && length >= pointer) {
      end ??= at + 1;
      at = ((length & ~pointer) << 8) | (bytes[at] ?? 0);
      if (at >= before) return undefined;
      before = at;
      continue;
    }
    if (length > 63 || at + length > bytes.length) return undefined;
    const label = printLabel(bytes.toString("latin1", at, at + length));
    name = name === "" ? label : `${name}.${label}`;
    at += length;
    size += 1 + length;
  }
  return undefined;
}

/** A dot within a label must not look like one between labels: what is allowed or ours is decided by this text. */
function printLabel(label: string): string {
  if (!/[^!-~]|[.\\]/.test(label)) return label;
  return label.replace(/[^!-~]|[.\\]/g, (odd) =>
    odd === "." || odd === "\\" ? `\\${odd}` : `\\${String(odd.charCodeAt(0)).padStart(3, "0")}`,
  );
}

/** A name as a record holds it. Labels that are too long for that are cut, as no name of ours should have any. */
export function encodeName(name: string): Buffer {
  const labels = name.split(".").filter((label) => label !== "");
  const parts = labels.flatMap((label) => {
    const bytes = Buffer.from(label).subarray(0, 63);
    return [Buffer.of(bytes.length), bytes];
  });
  return Buffer.concat([...parts, Buffer.of(0)]);
}
