/** The little of node:path that the way to the daemon needs: loading that module costs a client 0.4 ms. */

export const isAbsolute = (path: string): boolean => path.startsWith('/')

/** Without empty, `.` and `..` parts and without a slash at the end; `path` is absolute or taken as it is. */
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
