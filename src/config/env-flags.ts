/** The `-e` flag. Separate from the schema, because every `coop run` reads its flags and few need a configuration. */
import { CoopError } from '../core/errors.ts'
import type { HostEnv } from '../core/paths.ts'
import { quoteForMessage } from './toml.ts'

/** Whether `name` may name an environment variable (POSIX, except names that JavaScript treats specially). */
export function isEnvName(name: string): boolean {
  return name.length <= 255 && /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !(name in Object.prototype)
}

export const ENV_NAME_RULE = 'letters, digits and "_", not starting with a digit'

/** Raises E_USAGE for invalid names and values. */
export function checkNames(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(env)) {
    if (!isEnvName(name)) throw badEnvFlag(name)
    if (value.includes('\0'))
      throw new CoopError('E_USAGE', `the value of -e ${name} contains a NUL character`)
  }
  return env
}

const badEnvFlag = (name: string): CoopError =>
  new CoopError(
    'E_USAGE',
    `-e takes KEY=VALUE; ${quoteForMessage(name)} is not a variable name (${ENV_NAME_RULE})`,
    {
      hint: 'use -e KEY=VALUE, or -e KEY to pass on the value of this shell',
    },
  )

/** The names of `-e KEY` that are unset here. */
export function unsetNames(pairs: readonly string[], hostEnv: HostEnv): string[] {
  return pairs.filter((pair) => !pair.includes('=') && hostEnv[pair] === undefined)
}

/** The variables of `-e KEY=VALUE` and `-e KEY` (the host's value, none if unset), in order. Raises E_USAGE. */
export function parseEnvFlags(pairs: readonly string[], hostEnv: HostEnv): Readonly<Record<string, string>> {
  const env: Record<string, string> = {}
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    const name = at < 0 ? pair : pair.slice(0, at)
    if (!isEnvName(name)) throw badEnvFlag(name)
    const value = at < 0 ? hostEnv[name] : pair.slice(at + 1)
    if (value !== undefined) env[name] = value
  }
  return checkNames(env)
}
