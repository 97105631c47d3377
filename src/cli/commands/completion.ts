/** `coop completion`: prints a script that makes a shell complete coop's commands. */
import { CoopError } from '../../core/errors.ts'
import { command } from '../common/declare.ts'
import { print } from '../common/output.ts'

// Each script asks coop itself, with the words up to the cursor, and gets one candidate in a line: `word<tab>text`.
const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `_coop() {
  local cur=\${COMP_WORDS[COMP_CWORD]} line
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :files) compopt -o default 2>/dev/null; return ;;
      :folders) compopt -o dirnames 2>/dev/null; return ;;
      *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done < <(coop __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  [[ $cur == *:* ]] && type __ltrim_colon_completions >/dev/null 2>&1 && __ltrim_colon_completions "$cur"
}
complete -F _coop coop
`,
  zsh: `#compdef coop
_coop() {
  local -a lines candidates
  local line
  lines=("\${(@f)$(coop __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  for line in $lines; do
    case $line in
      :files) _files; return ;;
      :folders) _files -/; return ;;
      ?*) candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done
  _describe 'coop' candidates
}
if [ "$funcstack[1]" = _coop ]; then _coop "$@"; else compdef _coop coop; fi
`,
  fish: `function __coop_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l found (coop __complete $words[2..-1] 2>/dev/null)
  switch "$found[1]"
    case ':files'
      __fish_complete_path (commandline -ct)
    case ':folders'
      __fish_complete_directories (commandline -ct)
    case '*'
      printf '%s\\n' $found
  end
end
complete -c coop -f -a '(__coop_complete)'
`,
}

export default command({
  meta: {
    summary: 'print completions for bash, zsh or fish',
    description:
      'Print a script that makes a shell complete commands, options, and names of boxes and images.',
    examples: [
      'coop completion bash >~/.local/share/bash-completion/completions/coop',
      'coop completion zsh >~/.zfunc/_coop',
      'coop completion fish >~/.config/fish/completions/coop.fish',
    ],
    group: 'Settings',
  },
  args: {
    shell: {
      type: 'positional',
      required: true,
      options: Object.keys(SCRIPTS),
      description: 'bash, zsh or fish.',
    },
  },
  async run({ args }) {
    const script = Object.hasOwn(SCRIPTS, args.shell) ? SCRIPTS[args.shell] : undefined
    if (script === undefined)
      throw new CoopError('E_USAGE', `there are no completions for ${JSON.stringify(args.shell)}`, {
        hint: `coop completion ${Object.keys(SCRIPTS).join('|')}`,
      })
    print(script)
    return 0
  },
})
