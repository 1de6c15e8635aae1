/** Times as ps(1) writes them. */

const two = (value: number) => String(value).padStart(2, "0");
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

function parts(seconds: number) {
  const whole = Math.max(0, Math.floor(seconds));
  return {
    days: Math.floor(whole / 86_400),
    hours: Math.floor(whole / 3600) % 24,
    minutes: Math.floor(whole / 60) % 60,
    seconds: whole % 60,
  };
}

/** Processor time: [DD-]hh:mm:ss. */
export function cpuTime(seconds: number): string {
  const { days, hours, minutes, seconds: rest } = parts(seconds);
  return `${days > 0 ? `${two(days)}-` : ""}${two(hours)}:${two(minutes)}:${two(rest)}`;
}

/** The same as BSD writes it: minutes:ss. */
export function bsdTime(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${two(whole % 60)}`;
}

/** [[DD-]hh:]mm:ss. */
export function elapsed(seconds: number): string {
  const { days, hours, minutes, seconds: rest } = parts(seconds);
  const long = days > 0 ? `${two(days)}-${two(hours)}:` : hours > 0 ? `${two(hours)}:` : "";
  return `${long}${two(minutes)}:${two(rest)}`;
}

/** STIME: the time of a start today, the day of one this year, else the year. */
export function startTime(start: number, now: number): string {
  const [then, today] = [new Date(start * 1000), new Date(now * 1000)];
  if (then.getFullYear() !== today.getFullYear()) return String(then.getFullYear());
  return then.toDateString() === today.toDateString() ? clock(then) : monthDay(then);
}

/** START of `ps u`: the time of a start within 24 hours, else the day. */
export function bsdStart(start: number, now: number): string {
  const then = new Date(start * 1000);
  return now - start < 86_400 ? clock(then) : monthDay(then);
}

/** STARTED: with seconds. */
export function started(start: number, now: number): string {
  const then = new Date(start * 1000);
  return now - start < 86_400
    ? `${clock(then)}:${two(then.getSeconds())}`
    : `${months[then.getMonth()]} ${two(then.getDate())}`;
}

/** "Sat Nov 21 07:06:11 2026". */
export function longStart(start: number): string {
  const then = new Date(start * 1000);
  const date = `${days[then.getDay()]} ${months[then.getMonth()]} ${String(then.getDate()).padStart(2)}`;
  return `${date} ${clock(then)}:${two(then.getSeconds())} ${then.getFullYear()}`;
}

function clock(date: Date): string {
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}

function monthDay(date: Date): string {
  return `${months[date.getMonth()]}${two(date.getDate())}`;
}
