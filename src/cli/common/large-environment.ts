/**
 * Chooses variables out of an environment that is too large for a message to the daemon. None of the rest could enter
 * the box. Loaded only for such an environment.
 */
import { join } from 'node:path'
import { askRunning } from '../../client/ask.ts'
import { userPaths } from '../../client/user-paths.ts'
import { MAX_CONFIG_BYTES } from '../../config/parse.ts'
import { globalConfigFile, PROJECT_FILE } from '../../core/paths.ts'
import { readSmallFile } from '../../disk/small-file.ts'
import type { Environment, Target } from '../../protocol/shapes/values.ts'

const MAX_VALUE = 64 * 1024 // bytes; one of those that coop knows by name and that is longer is a mistake

/** Places, language, terminal, proxies, settings of coop itself. */
const KNOWN =
  /^(?:PATH|HOME|PWD|USER|SHELL|TERM|COLORTERM|NO_COLOR|LANG|LANGUAGE|LC_[A-Z]+|TZ|SSL_CERT_FILE|DOCKER_CONFIG|REGISTRY_AUTH_FILE|XDG_\w+|COOP_\w+|(?:https?|ftp|all|no)_proxy|\w+_(?:HOME|DIR|ROOT|PATH))$/i

function textOf(file: string, within?: string): string {
  try {
    const bytes = readSmallFile(file, { maxBytes: MAX_CONFIG_BYTES, within, noLink: within !== undefined })
    return bytes ? new TextDecoder().decode(bytes) : ''
  } catch {
    return '' // the daemon reports a file that it cannot read
  }
}

/** The names that configurations take from the caller, as `"$NAME"` or `"env:NAME"`. Other uses of `$` only add to them. */
function namesIn(text: string): readonly string[] {
  return [...text.matchAll(/(?:\$|\benv:)([A-Za-z_]\w*)/g)].map(([, name = '']) => name)
}

/** `about`: the workspace of a new box, or an existing box. */
export function neededOf(environment: Environment, about: string | Target): Environment {
  const paths = userPaths()
  const workspace = typeof about === 'string' ? about : askRunning(paths, 'box.find', about)?.value.workspace
  const project = workspace === undefined ? '' : textOf(join(workspace, PROJECT_FILE), workspace)
  const wanted = new Set([...namesIn(textOf(globalConfigFile(paths))), ...namesIn(project)])
  return Object.fromEntries(
    Object.entries(environment).filter(
      ([name, value]) => wanted.has(name) || (KNOWN.test(name) && value.length <= MAX_VALUE),
    ),
  )
}
