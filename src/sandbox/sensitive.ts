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

/** Nothing of these is mounted, and nothing that holds one. */
const SYSTEM_FOLDERS = ['/etc', '/proc', '/sys', '/dev', '/run', '/var/run', '/boot'] as const

/** Everybody's: programs put the sockets there that they are commanded by. A folder in one of them is somebody's own. */
const SHARED_FOLDERS = ['/tmp', '/var/tmp'] as const

/** But not these, which are nothing but sockets: terminals, keys and screens. */
const SOCKET_FOLDERS =
  /^\/(?:var\/)?tmp\/(?:tmux-|screens?(?:\/|$)|ssh-|\.X11-unix|\.ICE-unix|dbus-|systemd-private-)/

export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`)
}

export interface SensitiveFacts {
  /** The invoking user's home, links resolved. */
  readonly home: string
  /** Homes of everybody who may log in here. Those below /home count without being named. */
  readonly homes: readonly string[]
  /** Coop's own folders, links resolved. */
  readonly state: readonly string[]
}

const FIRST_PERSON = 1000 // UID_MIN of login.defs(5): ids below are programs', whose homes are folders of the system
const NOBODY = 65_534

/** Homes of people and of root, out of the text of /etc/passwd (passwd(5)). */
export function homesOf(passwd: string): string[] {
  const homes = passwd.split('\n').flatMap((line) => {
    const [, , id = '', , , home = ''] = line.split(':')
    const uid = Number(id)
    const isPerson = id !== '' && (uid === 0 || (uid >= FIRST_PERSON && uid !== NOBODY))
    return isPerson && /^\/[^/]/.test(home) ? [home.replace(/\/+$/, '')] : []
  })
  return [...new Set(['/root', ...homes])]
}

/** The homes that a path could have to do with: every folder of /home is taken for one. */
function homesAt(path: string, { home, homes }: SensitiveFacts): readonly string[] {
  const below = /^\/home\/[^/]+/.exec(path)?.[0]
  return [home, ...homes, ...(below === undefined ? [] : [below])]
}

/** Half a sentence why `path` (links resolved) must not be mounted; undefined when it may. */
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
  if (shared) return `${shared} belongs to everybody, and programs are commanded by sockets in it`
  if (SOCKET_FOLDERS.test(path)) return 'it is a place for sockets of programs that run outside'
  const system = SYSTEM_FOLDERS.find((folder) => isWithin(path, folder) || isWithin(folder, path))
  return system && `${system} belongs to the system`
}

/** The workspace: the same, but coop's state may have folders of its own in a home that is not the workspace. */
export function workspaceRefusal(path: string, facts: SensitiveFacts): string | undefined {
  if (['/usr', '/opt', '/bin', '/sbin', '/lib', '/home', '/var', '/tmp', '/root'].includes(path))
    return 'it is a folder of the system'
  return mountRefusal(path, facts)
}
