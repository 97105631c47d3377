/** Requests of the project's `[env]`: values of the host's variables, and values that differ from the user's own. */
import type { Config } from '../config/config.ts'
import type { LoadedConfig } from '../config/load.ts'
import type { Ask } from './ask.ts'
import { keyOf, shown } from './words.ts'

/**
 * Names that any project may set. Every other name needs a person's word: nobody can list all variables by which a shell,
 * an interpreter, a build tool or an agent lets others choose what runs, or where it sends its user's token.
 */
const HARMLESS =
  /^(?:CI|DEBUG|TZ|LANG|LANGUAGE|LC_[A-Z]+|TERM|COLORTERM|NO_COLOR|FORCE_COLOR|CLICOLOR|CLICOLOR_FORCE|COLUMNS|LINES|PORT|LOG_LEVEL|RUST_LOG|RUST_BACKTRACE|(?:NODE|RAILS|RACK|APP|MIX|FLASK)_ENV)$/

/** `own`: what the user's layers say. */
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
      const other = wanted === name ? [] : [name]
      const as = wanted === name ? '' : ` as ${shown(name)}`
      asks.push({
        at,
        key: keyOf('env', wanted, ...other),
        sentence: `have your variable ${shown(wanted)}${as}`,
      })
    }
    if (before === undefined && reference === undefined && !HARMLESS.test(name)) {
      const value = config.env[name] ?? ''
      asks.push({
        at,
        key: keyOf('env-set', name, value),
        sentence: `set ${shown(name)} to ${shown(value)}`,
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
