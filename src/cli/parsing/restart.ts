import { invalid } from "../errors.ts";

/** What `--restart` says, in the API's words. */
export interface RestartPolicy {
  readonly Name: string;
  readonly MaximumRetryCount: number;
}

/** `--restart no|always|unless-stopped|on-failure[:times]`; the daemon knows which policies there are. */
export function parseRestart(text: string): RestartPolicy {
  const [name = "", ...times] = text.split(":");
  if (name === "" && text !== "") throw invalid("invalid restart policy format: no policy provided before colon");
  if (times.length > 1 || !/^\d*$/.test(times[0] ?? "")) {
    throw invalid("invalid restart policy format: maximum retry count must be an integer");
  }
  return { Name: name || "no", MaximumRetryCount: Number(times[0] ?? 0) };
}
