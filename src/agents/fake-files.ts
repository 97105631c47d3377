/** A file system for tests: paths to contents, `-> target` for links, `+x ` in front of executables. */

import { dirname } from 'node:path'
import type { HostFiles } from './host-files.ts'

export type FakeTree = { readonly [path: string]: string }

const EXECUTABLE = '+x '
const LINK = '-> '

/** `fakeFiles({'/usr/bin/node': '+x ELF', '/usr/bin/nodejs': '-> node'})`; folders are derived from the paths. */
export function fakeFiles(tree: FakeTree): HostFiles {
  const folders = new Set<string>(['/'])
  for (const path of Object.keys(tree)) {
    for (let up = dirname(path); up !== '/'; up = dirname(up)) folders.add(up)
  }
  const content = (path: string) => {
    const entry = tree[path]
    return entry === undefined || entry.startsWith(LINK) ? undefined : entry.replace(EXECUTABLE, '')
  }
  return {
    kind(path) {
      if (folders.has(path)) return 'folder'
      return tree[path]?.startsWith(LINK) ? 'link' : tree[path] === undefined ? undefined : 'file'
    },
    isExecutable: (path) => tree[path]?.startsWith(EXECUTABLE) ?? false,
    readLink: (path) => (tree[path]?.startsWith(LINK) ? tree[path].slice(LINK.length) : undefined),
    list(folder) {
      const below = folder === '/' ? '/' : `${folder}/`
      const names = [...Object.keys(tree), ...folders]
        .filter((path) => path.startsWith(below) && path !== below)
        .map((path) => path.slice(below.length).split('/')[0] ?? '')
      return [...new Set(names)].sort()
    },
    readStart: (path, bytes) => content(path)?.slice(0, bytes),
  }
}
