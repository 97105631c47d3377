/** `coop completion`: prints a script that makes a shell complete coop's commands. */
import { CoopError } from '../../core/errors.ts'
import { command } from '../common/declare.ts'
import { print } from '../common/output.ts'

// Each script asks coop itself, with the words up to the cursor, and gets one candidate in a line: `word<tab>text`, and in
// a last line `:files` or `:folders` where paths are candidates, too.
const SCRIPTS: Readonly<Record<string, string>> = {
  // Bash takes words apart at = and :, which are parts of coop's words, and puts a candidate in place of the last part.
  bash: `_coop() {
  local rest=$COMP_LINE part line paths= glued= i
  local -a words=()
  COMPREPLY=()
  for ((i = 0; i <= COMP_CWORD; i++)); do
    part=\${COMP_WORDS[i]}
    if ((i > 0)) && [[ $rest != [[:space:]]* && -n $rest ]]; then
      glued=\${words[-1]}
      words[-1]+=$part
    else
      rest=\${rest#"\${rest%%[![:space:]]*}"}
      glued=
      words+=("$part")
    fi
    rest=\${rest#"$part"}
  done
  [[ $part == [=:] ]] && { glued=\${words[-1]} part=; }
  while IFS= read -r line; do
    case $line in
      :files | :folders) paths=$line ;;
      *) line=\${line%%$'\\t'*}; COMPREPLY+=("\${line#"$glued"}") ;;
    esac
  done < <(coop __complete "\${words[@]:1}" 2>/dev/null)
  [[ \${#COMPREPLY[@]} == 1 && \${COMPREPLY[0]} == *: ]] && compopt -o nospace 2>/dev/null
  if [[ -n $paths && \${#COMPREPLY[@]} == 0 ]]; then
    # Readline knows best how to quote paths, but only where there is nothing else.
    if [[ $paths == :files ]]; then compopt -o default 2>/dev/null; else compopt -o dirnames 2>/dev/null; fi
  elif [[ -n $paths ]]; then
    while IFS= read -r line; do
      [[ -d $line ]] && line+=/ && compopt -o nospace 2>/dev/null
      printf -v line %q "$line"
      COMPREPLY+=("$line")
    done < <(compgen -f -- "$part")
  fi
}
complete -F _coop coop
`,
  zsh: `#compdef coop
_coop() {
  local -a lines candidates open
  local line word paths=
  lines=("\${(@f)$(coop __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  for line in $lines; do
    word=\${line%%$'\\t'*}
    case $line in
      :files|:folders) paths=$line ;;
      *:$'\\t'*) open+=("\${word//:/\\\\:}:\${line#*$'\\t'}") ;;
      ?*) candidates+=("\${word//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done
  (( $#candidates )) && _describe 'coop' candidates
  (( $#open )) && _describe 'coop' open -S ''
  if [[ -n $paths ]]; then
    [[ $words[CURRENT] == --*=* ]] && compset -P '*='
    if [[ $paths == :files ]]; then _files; else _files -/; fi
  fi
}
if [ "$funcstack[1]" = _coop ]; then _coop "$@"; else compdef _coop coop; fi
`,
  fish: `function __coop_complete
  set -l current (commandline -ct)
  set -l words (commandline -opc) $current
  set -l path (string replace -r '^--[^=]*=' '' -- $current)
  set -l before (string match -r '^--[^=]*=' -- $current)
  for line in (coop __complete $words[2..-1] 2>/dev/null)
    switch "$line"
      case ':files'
        printf "$before%s\\n" (__fish_complete_path "$path")
      case ':folders'
        printf "$before%s\\n" (__fish_complete_directories "$path")
      case '*'
        printf '%s\\n' $line
    end
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
