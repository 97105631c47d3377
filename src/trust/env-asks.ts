/** Requests of the project's `[env]`: values of the host's variables, and values that differ from the user's own. */
import type { Config } from '../config/config.ts'
import type { LoadedConfig } from '../config/load.ts'
import type { Ask } from './ask.ts'
import { keyOf, shown } from './words.ts'

/** Names that decide which programs run, or where they and agents connect: a value for one is like a command. */
const STEERING = [
  /^(PATH|HOME|SHELL|ENV|BASH_ENV|IFS|EDITOR|VISUAL|PAGER|BROWSER|CURL_CA_BUNDLE|REQUESTS_CA_BUNDLE)$/,
  /^(LD|BUN|GIT|PYTHON|PERL|RUBY|SSL_CERT|NPM_CONFIG|DYLD)/i,
  /^NODE_(?!ENV$)/,
  /(_PROXY|JAVA_OPTIONS|JAVA_TOOL_OPTIONS)$/i,
  /^(ANTHROPIC|CLAUDE|OPENAI|CODEX|GEMINI|GOOGLE|OPENCODE|AIDER|AWS|AZURE|VERTEX)_/i,
]

/** `own`: the user's layers. Other values in the file are the project's own and safe. */
export function envAsks(
  { config, references, origins }: LoadedConfig,
  own: Config['env'],
  isMine: (key: string) => boolean,
): Ask[] {
  const names = [...origins.keys()].flatMap((key) => (key.startsWith('env.') ? [key.slice(4)] : []))
  return names.flatMap((name): Ask[] => {
    const at = `env.${name}`
    const before = Object.hasOwn(own, name) ? own[name] : undefined
    const reference = references.get(name)
    if (!isMine(at) || (before !== undefined && before === (reference ?? config.env[name]))) return []
    const asks: Ask[] = []
    // Asked even if the variable is not set now: the meaning of a file must not depend on where it is read.
    if (reference !== undefined) {
      const wanted = reference.slice(1)
      asks.push({ at, key: keyOf('env', wanted), sentence: `have your variable ${shown(wanted)}` })
    }
    if (before === undefined && reference === undefined && STEERING.some((names) => names.test(name))) {
      const value = config.env[name] ?? ''
      const what = 'which decides what runs or where it connects'
      asks.push({
        at,
        key: keyOf('env-set', name, value),
        sentence: `set ${shown(name)} to ${shown(value)}, ${what}`,
      })
    }
    if (before !== undefined) {
      const value = reference ?? config.env[name] ?? ''
      const sentence = `set ${shown(name)} to another value than your own settings do`
      asks.push({ at, key: keyOf('env-instead', name, value), sentence })
    }
    return asks
  })
}
