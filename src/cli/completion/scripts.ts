/*
 * What shells are told. They ask `sampan __complete -- WORD...` at each key, which answers from the table of commands and
 * the daemon that runs: "WORD TAB MEANING" lines, or ":file" where names of files are meant.
 */

/** Bash cuts words at `:` and `=`, too, and replaces only what is behind them: the words are taken from the line itself. */
const bash = String.raw`# bash completion for sampan: source <(sampan completion bash)
_sampan() {
  local line=\${COMP_LINE:0:COMP_POINT} words current prefix entry
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current=\${words[\${#words[@]} - 1]}
  prefix=\${current%"\${current##*[:=]}"}
  COMPREPLY=()
  while IFS= read -r entry; do
    if [[ $entry == :file ]]; then
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "\${current##*=}")
      return
    fi
    entry=\${entry%%$'\t'*}
    COMPREPLY+=("\${entry#"$prefix"}")
  done < <("\${words[0]}" __complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -o nosort -F _sampan sampan 2>/dev/null || complete -F _sampan sampan
`;

const zsh = String.raw`#compdef sampan
# zsh completion for sampan: source <(sampan completion zsh), or a file _sampan in $fpath
_sampan() {
  local line
  local -a entries
  for line in "\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -z $line ]] && continue
    if [[ $line == :file ]]; then
      _files
      return
    fi
    if [[ $line == *$'\t'* ]]; then
      entries+=("\${\${line%%$'\t'*}//:/\\:}:\${line#*$'\t'}")
    else
      entries+=("\${line//:/\\:}")
    fi
  done
  _describe -V sampan entries
}
if [[ $funcstack[1] == _sampan ]]; then
  _sampan "$@"
else
  compdef _sampan sampan
fi
`;

const fish = String.raw`# fish completion for sampan: sampan completion fish | source
function __sampan_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l found ($words[1] __complete -- $words[2..-1] "$current" 2>/dev/null)
  if contains -- :file $found
    __fish_complete_path (string replace -r '^--[^=]*=' '' -- "$current")
  else
    printf '%s\n' $found
  end
end
complete -c sampan -e
complete -c sampan -f -a '(__sampan_complete)'
`;

export const scripts: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({ bash, zsh, fish }).map(([name, text]) => [name, text.replaceAll("\\${", "${")]),
);
