/** Sensitive folders of the host, which a box never gets to see without a person's explicit consent. */

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

/** Neither these folders, nor anything in them, nor a folder that contains one is mounted. */
const SYSTEM_FOLDERS = ['/etc', '/proc', '/sys', '/dev', '/run', '/var/run', '/boot'] as const

/** Shared by all users: programs put their control sockets there. A folder inside usually belongs to one user. */
const SHARED_FOLDERS = ['/tmp', '/var/tmp'] as const

/** Exceptions: folders that contain nothing but sockets of terminals, keys and screens. */
const SOCKET_FOLDERS =
  /^\/(?:var\/)?tmp\/(?:tmux-|screens?(?:\/|$)|ssh-|\.X11-unix|\.ICE-unix|dbus-|systemd-private-)/

export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`)
}

export interface SensitiveFacts {
  /** The invoking user's home, links resolved. */
  readonly home: string
  /** Homes of everybody who may log in. Folders below /home count without being listed. */
  readonly homes: readonly string[]
  /** Coop's own folders, links resolved. */
  readonly state: readonly string[]
}

const FIRST_PERSON = 1000 // UID_MIN of login.defs(5): lower ids belong to programs, whose homes are system folders
const NOBODY = 65_534

/** Homes of people and of root, from the text of /etc/passwd (passwd(5)). */
export function homesOf(passwd: string): string[] {
  const homes = passwd.split('\n').flatMap((line) => {
    const [, , id = '', , , home = ''] = line.split(':')
    const uid = Number(id)
    const isPerson = id !== '' && (uid === 0 || (uid >= FIRST_PERSON && uid !== NOBODY))
    return isPerson && /^\/[^/]/.test(home) ? [home.replace(/\/+$/, '')] : []
  })
  return [...new Set(['/root', ...homes])]
}

/** The homes that a path may be in: every folder of /home counts as one. */
function homesAt(path: string, { home, homes }: SensitiveFacts): readonly string[] {
  const below = /^\/home\/[^/]+/.exec(path)?.[0]
  return [home, ...homes, ...(below === undefined ? [] : [below])]
}

/** Half a sentence why `path` (links resolved) must not be mounted; undefined if it may be. */
export function mountRefusal(path: string, facts: SensitiveFacts): string | undefined {
  if (path === '/') return 'it is the root of the whole system'
  const state = facts.state.find((folder) => isWithin(path, folder) || isWithin(folder, path))
  if (state) return `coop keeps its own state in ${state}`
  if (isWithin(facts.home, path)) return 'it holds your whole home folder'
  if (path === '/home') return 'it holds the home folders of everybody'
  for (const home of homesAt(path, facts)) {
    if (isWithin(home, path)) return `it holds a whole home folder, ${home}`
    for (const name of SECRET_FOLDERS) {
      const secret = `${home}/${name}`
      if (isWithin(path, secret) || isWithin(secret, path)) return `${secret} is a place for secrets`
    }
  }
  const shared = SHARED_FOLDERS.find((folder) => isWithin(folder, path))
  if (shared) return `${shared} belongs to everybody, and sockets in it control programs`
  if (SOCKET_FOLDERS.test(path)) return 'it contains sockets of programs outside the box'
  const system = SYSTEM_FOLDERS.find((folder) => isWithin(path, folder) || isWithin(folder, path))
  return system && `${system} belongs to the system`
}

/** Like `mountRefusal`, for a workspace, with more folders of the system. */
export function workspaceRefusal(path: string, facts: SensitiveFacts): string | undefined {
  if (['/usr', '/opt', '/bin', '/sbin', '/lib', '/home', '/var', '/tmp', '/root'].includes(path))
    return 'it is a system folder'
  return mountRefusal(path, facts)
}
