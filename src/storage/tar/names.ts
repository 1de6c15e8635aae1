/** The parts of a name that an archive gives, "." and ".." resolved: none for the top itself. Undefined when it leads out. */
export function partsBelow(name: string): string[] | undefined {
  const parts: string[] = [];
  for (const part of name.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts;
}
