/** Numbers of tar headers. All functions give undefined for what is malformed or does not fit a double exactly. */

/** Octal digits, padded with spaces or NULs; all padding is 0. GNU's base-256 when the top bit of the first byte is set. */
export function headerNumber(block: Buffer, at: number, length: number): number | undefined {
  return (block[at] ?? 0) & 0x80 ? base256(block, at, length) : octal(block, at, at + length);
}

function octal(block: Buffer, from: number, end: number): number | undefined {
  let at = from;
  while (at < end && (block[at] === 0x20 || block[at] === 0)) at++;
  let value = 0;
  for (; at < end; at++) {
    const digit = (block[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  for (; at < end; at++) if (block[at] !== 0x20 && block[at] !== 0) return undefined;
  return value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}

/** Big-endian two's complement; bit 7 of the first byte is the mark, bit 6 the sign. */
function base256(block: Buffer, from: number, length: number): number | undefined {
  let value = BigInt((block[from] ?? 0) & 0x7f);
  if (value & 0x40n) value -= 0x80n;
  for (let at = from + 1; at < from + length; at++) value = value * 256n + BigInt(block[at] ?? 0);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : undefined;
}

/** A non-negative decimal integer, as in PAX records. */
export function decimal(text: string): number | undefined {
  if (!/^\d{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** A PAX time: decimal seconds with an optional fraction, possibly negative. Rounded down to nanoseconds. */
export function paxTime(text: string): { seconds: number; nanoseconds: number } | undefined {
  const match = /^(-?)(\d{1,12})(?:\.(\d*))?$/.exec(text);
  if (!match) return undefined;
  const seconds = Number(match[2]);
  const digits = match[3] ?? "";
  const nanoseconds = Number(digits.slice(0, 9).padEnd(9, "0"));
  if (match[1] === "") return { seconds, nanoseconds };
  const beyond = /[1-9]/.test(digits.slice(9)) ? 1 : 0;
  const below = nanoseconds + beyond;
  return below === 0 ? { seconds: -seconds, nanoseconds: 0 } : { seconds: -seconds - 1, nanoseconds: 1e9 - below };
}
