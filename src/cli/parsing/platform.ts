import { invalid } from "../errors.ts";

/** `--platform os/arch[/variant]`, checked for its form only: the daemon knows which ones it can run. */
export function parsePlatform(text: string): string {
  if (!/^[A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+){0,2}$/.test(text)) {
    throw invalid(`error parsing specified platform: "${text}": cannot parse platform specifier`);
  }
  return text;
}
