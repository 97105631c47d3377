/**
 * The names of the box's processes: uid 0 has the configured user name and home (passwd(5), group(5)).
 * `root` stays a second name of uid 0, because installers say `chown root`.
 */

const FIRST_PERSON = 1000 // UID_MIN of login.defs(5): accounts from here on are people, unknown to the box
const NOBODY = 65_534

export interface Identity {
  readonly user: string
  readonly home: string
  readonly shell: string
}

function systemLines(text: string, idField: number, taken: readonly string[]): string[] {
  return text.split('\n').filter((line) => {
    const fields = line.split(':')
    const name = fields[0] ?? ''
    const id = Number(fields[idField])
    if (!name || fields.length <= idField || !Number.isInteger(id)) return false
    return id !== 0 && (id < FIRST_PERSON || id === NOBODY) && !taken.includes(name)
  })
}

// `*` matches no password. Unlike `x` it does not refer to a shadow file, which might lack the account.

/** /etc/passwd of the box, made from the image's ('' if it has none). */
export function passwdFile(base: string, who: Identity): string {
  const own = [`${who.user}:*:0:0:${who.user}:${who.home}:${who.shell}`]
  if (who.user !== 'root') own.push(`root:*:0:0:root:${who.home}:${who.shell}`)
  const names = [who.user, 'root']
  return `${[...own, ...systemLines(base, 2, names)].join('\n')}\n`
}

/** /etc/group of the box, made from the image's ('' if it has none). Members that are people are left out. */
export function groupFile(base: string, who: Identity): string {
  // Installers and their tests expect `root` as the name of gid 0; the kernel and programs ask by number.
  const own = who.user === 'root' ? ['root:x:0:'] : ['root:x:0:', `${who.user}:x:0:`]
  const rest = systemLines(base, 2, [who.user, 'root']).map((line) => {
    const fields = line.split(':')
    return `${fields[0]}:x:${fields[2]}:`
  })
  return `${[...own, ...rest].join('\n')}\n`
}

/** /etc/hosts of the box; with the names of `host`, the text of another such file. */
export function hostsFile(hostname: string, host = ''): string {
  const names = host.split('\n').flatMap((line) => line.replace(/#.*/, '').trim().split(/\s+/).slice(1))
  const lines = [
    ...(names.includes('localhost')
      ? []
      : ['127.0.0.1 localhost', '::1 localhost ip6-localhost ip6-loopback']),
    ...(host ? [host.replace(/\n+$/, '')] : []),
    ...(names.includes(hostname) ? [] : [`127.0.1.1 ${hostname}`]),
  ]
  return `${lines.join('\n')}\n`
}

/** For a real sudo(8): uid 0 has the name of the box's user, which sudoers(5) of distributions does not know. */
export const SUDOERS = '#0 ALL=(ALL:ALL) NOPASSWD: ALL\n'
