import type { Heredoc, Instruction, Word } from "./types.ts";

/** Everything in an instruction in which Docker expands variables, in the order in which it does. */
export function wordsOf(instruction: Instruction): readonly Word[] {
  switch (instruction.kind) {
    case "ADD":
    case "COPY": {
      const sources = instruction.sources.flatMap((source) => (source.kind === "path" ? [source.path] : []));
      const checksum = instruction.kind === "ADD" ? instruction.checksum : undefined;
      const optional = [instruction.chown, instruction.chmod, checksum].filter((word) => word !== undefined);
      return [...optional, ...instruction.exclude, ...sources, instruction.destination];
    }
    case "ARG":
      return instruction.args.flatMap(({ key, value }) => (value === undefined ? [key] : [key, value]));
    case "ENV":
    case "LABEL":
      return instruction.pairs.flatMap(({ key, value }) => [key, value]);
    case "EXPOSE":
      return instruction.ports;
    case "RUN":
      return instruction.mounts.flatMap(({ fields }) => fields.flatMap(({ value }) => value ?? []));
    case "STOPSIGNAL":
      return [instruction.signal];
    case "USER":
      return [instruction.user];
    case "VOLUME":
      return instruction.paths;
    case "WORKDIR":
      return [instruction.path];
    case "CMD":
    case "ENTRYPOINT":
    case "HEALTHCHECK":
    case "MAINTAINER":
    case "ONBUILD":
    case "SHELL":
      return [];
  }
}

/** The documents of an instruction that become files, and in which variables are expanded. */
export function documentsOf(instruction: Instruction): readonly Heredoc[] {
  if (instruction.kind !== "COPY" && instruction.kind !== "ADD") return [];
  const documents = instruction.sources.flatMap((source) => (source.kind === "heredoc" ? [source.heredoc] : []));
  return documents.filter(({ expand }) => expand);
}
