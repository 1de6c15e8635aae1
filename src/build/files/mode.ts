import { SampanError } from "../../errors/index.ts";

/** What `--chmod` makes of a mode: octal digits, or chmod(1)'s symbols ("u=rwX,go=rX"). */
export function modeChange(text: string): (mode: number, isDirectory: boolean) => number {
  if (/^[0-7]{1,5}$/.test(text)) {
    const mode = Number.parseInt(text, 8);
    if (mode <= 0o7777) return () => mode;
  }
  const clauses = text.split(",").map(clauseOf);
  if (clauses.some((clause) => clause === undefined)) {
    const wanted = "it must be an octal number or symbols as of chmod(1)";
    throw new SampanError("invalid", `invalid chmod parameter: '${text}'. ${wanted}`);
  }
  return (mode, isDirectory) => clauses.reduce((now, clause) => clause?.(now, isDirectory) ?? now, mode);
}

const shifts: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 };

function clauseOf(text: string): ((mode: number, isDirectory: boolean) => number) | undefined {
  const [, who = "", actions = ""] = /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$/.exec(text) ?? [];
  if (actions === "") return undefined;
  const whom = who === "" || who.includes("a") ? "ugo" : who;
  const parts = [...actions.matchAll(/([-+=])([rwxXstugo]*)/g)];
  return (mode, isDirectory) => {
    let now = mode;
    for (const [, operator = "", permissions = ""] of parts) {
      for (const one of whom) now = applied(now, { one, operator, permissions, isDirectory });
    }
    return now;
  };
}

interface Change {
  readonly one: string;
  readonly operator: string;
  readonly permissions: string;
  readonly isDirectory: boolean;
}

function applied(mode: number, { one, operator, permissions, isDirectory }: Change): number {
  const shift = shifts[one] ?? 0;
  let bits = 0;
  let special = 0;
  for (const letter of permissions) {
    if (letter === "r") bits |= 4;
    if (letter === "w") bits |= 2;
    if (letter === "x" || (letter === "X" && (isDirectory || (mode & 0o111) !== 0))) bits |= 1;
    if (letter === "s") special |= one === "u" ? 0o4000 : one === "g" ? 0o2000 : 0;
    if (letter === "t") special |= one === "o" ? 0o1000 : 0;
    if (letter in shifts) bits |= (mode >> (shifts[letter] ?? 0)) & 7;
  }
  const change = (bits << shift) | special;
  if (operator === "+") return mode | change;
  if (operator === "-") return mode & ~change;
  return (mode & ~(7 << shift)) | change;
}
