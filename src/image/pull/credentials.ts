/**
 * The user's credentials for a registry, as stored by `docker login` and `podman login`. If programs hold the passwords
 * (`credHelpers`, `credsStore`), they are run as docker does: `docker-credential-NAME get`, found in PATH.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CoopError } from '../../core/errors.ts'
import { findProgram, trustedPath } from '../../host/programs.ts'
import { maybeObject, maybeText } from '../json.ts'

export type Credentials =
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  /** A token that a registry gave for a password; it can only be exchanged for other tokens. */
  | { readonly kind: 'identity'; readonly token: string }

export type Environment = Readonly<Record<string, string | undefined>>

const HELPER_MS = 20_000 // it may ask a person to unlock a keyring
const MAX_SAID = 1 << 20 // bytes of a helper's output
const DOCKER_HUB = 'https://index.docker.io/v1/'

/** The files that may have credentials, in order of preference. */
export function credentialFiles(env: Environment, home: string): string[] {
  const runtime = env.XDG_RUNTIME_DIR
  return [
    ...(env.REGISTRY_AUTH_FILE ? [env.REGISTRY_AUTH_FILE] : []),
    ...(runtime ? [join(runtime, 'containers/auth.json')] : []),
    join(env.XDG_CONFIG_HOME || join(home, '.config'), 'containers/auth.json'),
    join(env.DOCKER_CONFIG || join(home, '.docker'), 'config.json'),
  ]
}

/** Keys that may stand for a registry: with a repository appended (podman), with a scheme and version (docker). */
function keysOf(registry: string, repository: string): string[] {
  const parts = repository.split('/')
  const paths = parts.map((_, index) => `${registry}/${parts.slice(0, parts.length - index).join('/')}`)
  const hub = registry === 'docker.io' ? [DOCKER_HUB, 'index.docker.io', 'registry-1.docker.io'] : []
  return [
    ...paths,
    registry,
    `https://${registry}`,
    `https://${registry}/v1/`,
    `https://${registry}/v2/`,
    ...hub,
  ]
}

function decode(entry: Readonly<Record<string, unknown>>): Credentials | undefined {
  const identity = maybeText(entry.identitytoken)
  if (identity) return { kind: 'identity', token: identity }
  const auth = maybeText(entry.auth)
  const [, user, password] =
    /^([^:]+):(.*)$/s.exec(auth ? Buffer.from(auth, 'base64').toString('utf8') : '') ?? []
  if (user !== undefined && password !== undefined)
    return { kind: 'password', user, password: password.replace(/\0+$/, '') }
  const name = maybeText(entry.username)
  const secret = maybeText(entry.password)
  return name && secret ? { kind: 'password', user: name, password: secret } : undefined
}

/** Asks a helper program. `writable`: folders in which boxes write, from which no helper is taken. */
async function ask(
  helper: string,
  server: string,
  env: Environment,
  writable: readonly string[],
): Promise<Credentials | undefined> {
  const path = env.PATH ?? ''
  const program = /^[\w.-]+$/.test(helper)
    ? findProgram(`docker-credential-${helper}`, path, writable)
    : undefined
  if (!program)
    throw new CoopError(
      'E_IMAGE',
      `the credentials of ${server} are kept by docker-credential-${helper}, which no trusted folder of PATH contains`,
      {
        hint: `install it outside of projects and boxes' folders, or log in without it: skopeo login ${server}`,
      },
    )
  const child = Bun.spawn([program, 'get'], {
    stdin: Buffer.from(server),
    stdout: 'pipe',
    stderr: 'ignore',
    cwd: '/',
    env: { ...env, PATH: trustedPath(path, writable) }, // the helper may start programs by name, too
    timeout: HELPER_MS,
    maxBuffer: MAX_SAID,
  })
  const said = await new Response(child.stdout).text()
  if ((await child.exited) !== 0) return undefined // it has none for this registry
  try {
    const { Username, Secret } = maybeObject(JSON.parse(said))
    if (typeof Username !== 'string' || typeof Secret !== 'string') return undefined
    return Username === '<token>'
      ? { kind: 'identity', token: Secret }
      : { kind: 'password', user: Username, password: Secret }
  } catch {
    return undefined
  }
}

/** Undefined if the user is not logged in there. Raises E_IMAGE for a file that is not JSON or a missing helper. */
export async function findCredentials(
  registry: string,
  repository: string,
  env: Environment,
  home: string,
  writable: readonly string[] = [],
): Promise<Credentials | undefined> {
  const keys = keysOf(registry, repository)
  for (const file of credentialFiles(env, home)) {
    if (!existsSync(file)) continue
    let config: Readonly<Record<string, unknown>>
    try {
      config = maybeObject(JSON.parse(readFileSync(file, 'utf8')))
    } catch (error) {
      throw new CoopError('E_IMAGE', `${file} cannot be read`, {
        hint: 'repair it: it must be JSON, as docker login writes it',
        cause: error,
      })
    }
    const auths = maybeObject(config.auths)
    const helpers = maybeObject(config.credHelpers)
    for (const key of keys) {
      const helper = maybeText(helpers[key])
      const found = helper ? await ask(helper, key, env, writable) : decode(maybeObject(auths[key]))
      if (found) return found
    }
    const store = maybeText(config.credsStore)
    const kept = keys.find((key) => key in auths)
    const found = store && kept ? await ask(store, kept, env, writable) : undefined
    if (found) return found
  }
  return undefined
}
