/** Requests of the project's `[env]`: values of the host's variables, and values that differ from the user's own. */
import type { Config } from '../config/config.ts'
import type { LoadedConfig } from '../config/load.ts'
import type { Ask } from './ask.ts'
import { keyOf, shown } from './words.ts'

/**
 * Variables that any project may set, with the values that it may give them. Every other one needs a person's word: nobody
 * can list all variables by which a shell, an interpreter, a build tool or an agent lets others choose what runs, or where
 * it sends its user's token. Values matter, too: bash runs commands in a number that it calculates with, and the C library
 * takes paths for languages and time zones.
 */
const HARMLESS: readonly (readonly [names: RegExp, values: RegExp])[] = [
  [/^(?:PORT|COLUMNS|LINES)$/, /^\d{1,5}$/],
  [/^TZ$/, /^(?:[A-Za-z][\w+-]*(?:\/[\w+-]+){0,2})?$/],
  [
    /^(?:CI|DEBUG|LANG|LC_[A-Z]+|TERM|COLORTERM|NO_COLOR|FORCE_COLOR|CLICOLOR|CLICOLOR_FORCE|LOG_LEVEL|RUST_LOG|RUST_BACKTRACE|(?:NODE|RAILS|RACK|APP|MIX|FLASK)_ENV)$/,
    /^[\w.@:,=*+-]{0,64}$/,
  ],
]

const isHarmless = (name: string, value: string): boolean =>
  HARMLESS.some(([names, values]) => names.test(name) && values.test(value))

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
    const value = config.env[name] ?? ''
    if (before === undefined && reference === undefined && !isHarmless(name, value)) {
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
