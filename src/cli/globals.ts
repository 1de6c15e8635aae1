import { flag, text } from "./options.ts";

/** The flags before the command. */
export const globalGrammar = {
  options: {
    host: text("H", "Daemon socket to connect to (unix:///path)"),
    version: flag("v", "Print version information and quit"),
  },
  flagsFirst: true,
} as const;
