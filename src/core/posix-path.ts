/** The few functions of node:path that a client needs to reach the daemon: loading the module costs it 0.4 ms. */

export const isAbsolute = (path: string): boolean => path.startsWith('/')

/** Removes empty, `.` and `..` parts and a trailing slash. `path` is absolute; others keep a leading `..`. */
export function normalize(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..' && parts.length && parts.at(-1) !== '..') parts.pop()
    else if (part !== '..' || !isAbsolute(path)) parts.push(part)
  }
  const joined = parts.join('/')
  return isAbsolute(path) ? `/${joined}` : joined || '.'
}

export const join = (...parts: readonly string[]): string => normalize(parts.join('/'))
