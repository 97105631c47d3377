/** Layers with whiteouts, opaque folders, links, marks, attributes, holes: the features that a tool must get right. */
import type { Fake } from '../../src/image/unpack/testing.ts'

const T = 1_600_000_000
const dir = (name: string, more: Partial<Fake> = {}): Fake => ({
  name: `data/${name}`,
  type: '5',
  mode: 0o755,
  mtime: T,
  ...more,
})
const file = (name: string, data: string, more: Partial<Fake> = {}): Fake => ({
  name: `data/${name}`,
  data,
  mtime: T,
  ...more,
})

/** struct vfs_cap_data, revision 2, effective: cap_net_raw. */
const CAP_NET_RAW = '\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0'

/** Every feature of layers, in three of them; all files are below /data. */
export const LAYERS: readonly (readonly Fake[])[] = [
  [
    dir('', { mtime: T + 5 }),
    dir('kept', { mode: 0o1777 }),
    file('kept/file', 'kept\n'),
    dir('emptied'),
    file('emptied/a', 'a'),
    dir('emptied/below'),
    file('emptied/below/b', 'b'),
    dir('gone'),
    file('gone/x', 'x'),
    file('removed', 'removed'),
    file('replaced', 'old'),
    dir('was-folder'),
    file('was-folder/x', 'x'),
    file('was-file', 'file'),
    file('linked-later', 'shared\n', {
      uid: 33,
      gid: 33,
      mode: 0o4750,
      pax: { 'SCHILY.xattr.user.mime': 'of the layer below' },
    }),
    dir('described-once', { mode: 0o2770, uid: 1, gid: 8 }),
    dir('other-owner', { uid: 1000, gid: 1000, mode: 0o700 }),
  ],
  [
    file('setuid', 's', { mode: 0o4755 }),
    file('setgid', 's', { mode: 0o2755, gid: 42 }),
    file('owned', 'o', { uid: 1000, gid: 1001, mode: 0o600 }),
    file('times', 't', { pax: { mtime: '1234567890.123456789' } }),
    file('old', 'o', { pax: { mtime: '-5.25' } }),
    file('hard-a', 'hard\n'),
    { name: 'data/hard-b', type: '1', link: 'data/hard-a', mtime: T },
    { name: '/data/absolute', data: 'below the root of the image\n', mtime: T },
    { name: 'data/to-hard', type: '2', link: 'hard-a', mode: 0o777, mtime: T },
    {
      name: 'data/dangling',
      type: '2',
      link: '/no/where/../at all',
      mode: 0o777,
      mtime: T,
      uid: 33,
      gid: 33,
    },
    { name: 'data/fifo', type: '6', mode: 0o622, mtime: T },
    file('capable', 'x', { mode: 0o755, pax: { 'SCHILY.xattr.security.capability': CAP_NET_RAW } }),
    dir('described', { pax: { 'SCHILY.xattr.user.mime': 'inode/directory' } }),
    file('attribute', 'x', { pax: { 'SCHILY.xattr.user.mime': 'text/plain' } }),
    file('sparse', 'data', {
      pax: { 'GNU.sparse.numblocks': '1', 'GNU.sparse.map': '5000000,4', 'GNU.sparse.size': '9000000' },
    }),
    file('twice', 'first'),
    file('twice', 'second'),
    file(`long-${'n'.repeat(90)}`, 'long', { pax: { path: `data/long-${'n'.repeat(200)}` } }),
    dir('described-once/sub'), // its parent is only in the layer below
    file('described-once/sub/file', 'x'),
  ],
  [
    { name: 'data/.wh.removed' },
    { name: 'data/.wh.gone' },
    { name: 'data/emptied/.wh..wh..opq' },
    file('emptied/new', 'new'),
    file('replaced', 'new'),
    { name: 'data/.wh.was-folder' },
    file('was-folder', 'now a file'),
    { name: 'data/.wh.was-file' },
    dir('was-file'),
    file('was-file/inside', 'now a folder'),
    { name: 'data/link-below', type: '1', link: 'data/linked-later', mtime: T },
    { name: 'data/link-below-too', type: '1', link: 'data/linked-later', mtime: T },
  ],
]
