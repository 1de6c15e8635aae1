/** Dockerfiles and the lints that `--check` finds in them: Docker's builder is asked, too. */
export interface LintCase {
  readonly text: string;
  /** Rule and message, in the order of the file. */
  readonly lints: readonly (readonly [rule: string, message: string])[];
  /** Docker's builder, as old as the one that was asked, says otherwise. */
  readonly unlikeDocker?: string;
  /** The context's ignore file. */
  readonly ignore?: string;
}

export const lintCases: readonly LintCase[] = [
  { text: 'FROM scratch\nCMD ["a"]\n', lints: [] },
  { text: "FROM scratch AS Ab", lints: [["StageNameCasing", "Stage name 'Ab' should be lowercase"]] },
  { text: "FROM scratch as a", lints: [["FromAsCasing", "'as' and 'FROM' keywords' casing do not match"]] },
  { text: "from scratch as a\nuser 1\n", lints: [] },
  { text: "FROM scratch\nLABEL a=b \\\n\n  c=d\n", lints: [["NoEmptyContinuation", "Empty continuation line"]] },
  {
    text: "FROM scratch\nLABEL a=b\nuser 1\n",
    lints: [
      ["ConsistentInstructionCasing", "Command 'user' should match the case of the command majority (uppercase)"],
    ],
  },
  {
    text: "FROM scratch AS a\nFROM scratch AS a\n",
    lints: [["DuplicateStageName", 'Duplicate stage name "a", stage names should be unique']],
  },
  {
    text: "FROM scratch AS context\n",
    lints: [["ReservedStageName", 'Stage name should not use the same name as reserved stage "context"']],
  },
  {
    text: "FROM scratch\nCMD a\n",
    lints: [
      [
        "JSONArgsRecommended",
        "JSON arguments recommended for CMD to prevent unintended behavior related to OS signals",
      ],
    ],
  },
  { text: 'FROM scratch\nSHELL ["sh", "-c"]\nCMD a\n', lints: [] },
  {
    text: "FROM scratch\nMAINTAINER a\n",
    lints: [["MaintainerDeprecated", "Maintainer instruction is deprecated in favor of using label"]],
  },
  {
    text: "ARG BASE=scratch\nFROM $BASE$BASES\n",
    lints: [["UndefinedArgInFrom", "FROM argument 'BASES' is not declared (did you mean BASE?)"]],
  },
  {
    text: "FROM scratch\nWORKDIR a\nWORKDIR b\n",
    lints: [["WorkdirRelativePath", 'Relative workdir "a" can have unexpected results if the base image changes']],
  },
  { text: "FROM scratch\nWORKDIR /a\nWORKDIR b\n", lints: [] },
  {
    unlikeDocker: "it suggests only what has a value",
    text: "FROM scratch\nARG NAME\nLABEL a=$NAMES b=$NAME c=$OTHERWISE d=$PATH\n",
    lints: [
      ["UndefinedVar", "Usage of undefined variable '$NAMES' (did you mean $NAME?)"],
      ["UndefinedVar", "Usage of undefined variable '$OTHERWISE'"],
    ],
  },
  {
    text: 'FROM scratch\nCMD ["a"]\nCMD ["b"]\n',
    lints: [
      [
        "MultipleInstructionsDisallowed",
        "Multiple CMD instructions should not be used in the same stage because only the last one will be used",
      ],
    ],
  },
  {
    text: "FROM scratch\nENV a b\n",
    lints: [["LegacyKeyValueFormat", '"ENV key=value" should be used instead of legacy "ENV key value" format']],
  },
  {
    text: "FROM --platform=$TARGETPLATFORM scratch\n",
    lints: [
      [
        "RedundantTargetPlatform",
        "Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior",
      ],
    ],
  },
  {
    text: "FROM --platform=linux/amd64 scratch\n",
    lints: [["FromPlatformFlagConstDisallowed", 'FROM --platform flag should not use constant value "linux/amd64"']],
  },
  { text: "FROM --platform=linux/amd64 scratch AS for-amd64\n", lints: [] },
  {
    text: "FROM scratch\nARG TOKEN\nENV DB_PASSWORD=x PUBLIC_KEY=y\n",
    lints: [
      ["SecretsUsedInArgOrEnv", 'Do not use ARG or ENV instructions for sensitive data (ARG "TOKEN")'],
      ["SecretsUsedInArgOrEnv", 'Do not use ARG or ENV instructions for sensitive data (ENV "DB_PASSWORD")'],
    ],
  },
  {
    text: "FROM scratch\nEXPOSE 80/TCP 127.0.0.1:81:82\n",
    lints: [
      [
        "ExposeInvalidFormat",
        "EXPOSE instruction should not define an IP address or host-port mapping, found '127.0.0.1:81:82'",
      ],
      ["ExposeProtoCasing", "Defined protocol '80/TCP' in EXPOSE instruction should be lowercase"],
    ],
  },
  {
    text: "FROM scratch\nCOPY left-out/a /\n",
    ignore: "left-out\n",
    lints: [["CopyIgnoredFile", 'Attempting to Copy file "left-out/a" that is excluded by .dockerignore']],
  },
  { text: "FROM scratch\nCOPY left-out/a /\n", ignore: "left-out\n!x\n", lints: [] },
  { text: "# check=skip=JSONArgsRecommended\nFROM scratch\nCMD a\n", lints: [] },
  { text: "# check=skip=all\nFROM scratch\nMAINTAINER a\nCMD a\n", lints: [] },
  {
    unlikeDocker: "comments above instructions are newer",
    text: "FROM scratch\n# check=skip=MaintainerDeprecated\nMAINTAINER a\n",
    lints: [],
  },
  {
    text: "# check=experimental=InvalidDefinitionDescription\n# nothing of it\nFROM scratch AS a\n",
    lints: [["InvalidDefinitionDescription", "Comment for FROM should follow the format: `# a <description>`"]],
  },
];
