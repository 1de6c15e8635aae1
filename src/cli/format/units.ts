const sizeUnits = ["B", "kB", "MB", "GB", "TB", "PB"];

/** A size in decimal units, as docker's lists show it: `2.063MB` with four digits, `77.8MB` with three. */
export function humanSize(bytes: number, digits = 3): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < sizeUnits.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${significant(value, digits)}${sizeUnits[unit]}`;
}

/** Go's `%.Ng`: so many significant digits, without trailing zeros; never an exponent for sizes. */
function significant(value: number, digits: number): string {
  return String(Number(value.toPrecision(digits)));
}

const binaryUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** A size in binary units, as `info` shows memory: `23.54GiB`. */
export function humanBinarySize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < binaryUnits.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${significant(value, 4)}${binaryUnits[unit]}`;
}

/** How long something took or has been, roughly: `About a minute`, `3 hours`. */
export function humanDuration(seconds: number): string {
  if (seconds < 1) return "Less than a second";
  if (seconds < 2) return "1 second";
  if (seconds < 60) return `${Math.floor(seconds)} seconds`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.round(seconds / 3600);
  if (hours === 1) return "About an hour";
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.floor(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.floor(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`;
  return `${Math.floor(hours / 24 / 365)} years`;
}

/** A moment as docker's `CREATED` columns tell it; `N/A` for none. */
export function ago(unixSeconds: number, now = Date.now()): string {
  return unixSeconds <= 0 ? "N/A" : `${humanDuration(now / 1000 - unixSeconds)} ago`;
}

/** A moment of RFC 3339 as Go's `Time.String` has it, no zeros at the end of a fraction: `2024-05-06 07:08:09.12 +0000 UTC`. */
export function goMoment(text: string): string {
  const [, day = "", seconds = "", fraction = "", zone = ""] =
    /^([\d-]+)T([\d:]+)(\.\d+)?(Z|[-+]\d\d:\d\d)$/.exec(text) ?? [];
  if (day === "") return text;
  const offset = zone.replace(":", "");
  const time = seconds + fraction.replace(/\.?0+$/, "");
  return `${day} ${time} ${zone === "Z" ? "+0000 UTC" : `${offset} ${offset}`}`;
}

/** A moment as docker's `CreatedAt` prints it: Go's `2006-01-02 15:04:05 -0700 MST` in local time. */
export function goTime(unixSeconds: number): string {
  const date = new Date(unixSeconds * 1000);
  const two = (value: number): string => String(value).padStart(2, "0");
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? "-" : "+"}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  const name = new Intl.DateTimeFormat("en", { timeZoneName: "short" }).formatToParts(date);
  const abbreviation = name.find(({ type }) => type === "timeZoneName")?.value ?? "UTC";
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${zone} ${abbreviation}`;
}

/** The first 12 digits of an id, without its algorithm. */
export function shortId(id: string): string {
  return id.replace(/^[a-z0-9]+:/, "").slice(0, 12);
}

/** At most so many characters, the last one an ellipsis when something was cut. */
export function ellipsis(text: string, length: number): string {
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join("")}…`;
}
