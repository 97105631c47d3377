/** Which folders of the host are never shown to a box without a person's word for it (SPEC: mounts that need care). */

/** Folders and files of a home that hold secrets, relative to it. */
export const SECRET_FOLDERS = [
  '.ssh',
  '.gnupg',
  '.aws',
  '.azure',
  '.kube',
  '.docker',
  '.config/gcloud',
  '.config/gh',
  '.config/coop',
  '.npmrc',
  '.netrc',
  '.pypirc',
  '.git-credentials',
  '.password-store',
  '.pki',
  '.local/share/keyrings',
  '.mozilla',
  '.config/google-chrome',
  '.config/chromium',
  '.config/BraveSoftware',
  '.config/microsoft-edge',
  '.config/vivaldi',
  '.config/opera',
  'snap/firefox',
  'snap/chromium',
  '.anthropic',
  '.openai',
] as const

const SYSTEM_FOLDERS = ['/etc', '/proc', '/sys', '/dev', '/run', '/var/run', '/boot'] as const

export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`)
}

export interface SensitiveFacts {
  /** The invoking user's home, links resolved. */
  readonly home: string
  /** Coop's own folders, links resolved. */
  readonly state: readonly string[]
}

/** Half a sentence why `path` (links resolved) must not be mounted; undefined when it may. */
export function mountRefusal(path: string, facts: SensitiveFacts): string | undefined {
  if (path === '/') return 'it is the root of the whole system'
  const state = facts.state.find((folder) => isWithin(path, folder) || isWithin(folder, path))
  if (state) return `coop keeps its own state in ${state}`
  if (isWithin(facts.home, path)) return 'it holds your whole home folder'
  for (const name of SECRET_FOLDERS) {
    const secret = `${facts.home}/${name}`
    if (isWithin(path, secret) || isWithin(secret, path)) return `${secret} is a place for secrets`
  }
  const system = SYSTEM_FOLDERS.find((folder) => isWithin(path, folder) || isWithin(folder, path))
  return system && `${system} belongs to the system`
}

/** The workspace: the same, but coop's state may have folders of its own in a home that is not the workspace. */
export function workspaceRefusal(path: string, facts: SensitiveFacts): string | undefined {
  if (['/usr', '/opt', '/bin', '/sbin', '/lib', '/home', '/var', '/tmp', '/root'].includes(path))
    return 'it is a folder of the system'
  return mountRefusal(path, facts)
}
