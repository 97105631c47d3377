import { describe, expect, test } from 'bun:test'
import { TarReader } from './tar.ts'
import { archive, folder, readAll, resum, shell } from './testing.ts'

const LONG = `${'long-folder-name/'.repeat(12)}file`

describe('what GNU tar writes is read', () => {
  for (const format of ['v7', 'ustar', 'oldgnu', 'gnu', 'pax'])
    test(format, async () => {
      using dir = folder()
      shell(
        dir.path,
        `mkdir t; cd t; printf hello >a; chmod 4751 a; ln a b; ln -s a c; mkdir -m 1777 d; mkfifo f
         touch -d '2001-02-03 04:05:06.123456789 UTC' a; touch "$(printf 'n\\303\\244me\\377')"${format === 'v7' ? '; rm f' : ''}`,
      )
      const entries = await readAll(
        shell(dir.path, `tar -C t --format=${format} --owner=7 --group=8 --sort=name -c .`),
      )
      const by = new Map(entries.map((entry) => [entry.name, entry]))
      expect(by.get('./a')).toMatchObject({ type: 'file', mode: 0o4751, uid: 7, gid: 8, size: 5 })
      expect(by.get('./a')?.data.toString()).toBe('hello')
      const fraction = format === 'pax' ? 123_456_789n : 0n
      expect(by.get('./a')?.mtime).toBe(BigInt(Date.UTC(2001, 1, 3, 4, 5, 6)) * 1_000_000n + fraction)
      expect(by.get('./b')).toMatchObject({ type: 'hardlink', linkName: './a' })
      expect(by.get('./c')).toMatchObject({ type: 'symlink', linkName: 'a' })
      expect(by.get('./d/')).toMatchObject({ type: 'folder', mode: 0o1777 })
      if (format !== 'v7') expect(by.get('./f')).toMatchObject({ type: 'fifo' })
      expect(by.get('./n\xc3\xa4me\xff')?.type).toBe('file') // plain bytes in any encoding
    })

  for (const format of ['gnu', 'pax'])
    test(`long names and big numbers in ${format}`, async () => {
      using dir = folder()
      shell(dir.path, `mkdir -p t/${LONG.slice(0, -5)}; echo x >t/${LONG}; ln -s ${LONG} t/link`)
      const entries = await readAll(
        shell(
          dir.path,
          `tar -C t --format=${format} --owner=a:3000000 --group=b:4000000000 --mtime=@99999999999 -c .`,
        ),
      )
      expect(entries.find(({ name }) => name === `./${LONG}`)).toMatchObject({
        uid: 3_000_000,
        gid: 4_000_000_000,
        mtime: 99_999_999_999_000_000_000n,
      })
      expect(entries.find(({ type }) => type === 'symlink')?.linkName).toBe(LONG)
    })

  for (const options of [
    'gnu',
    'pax --sparse-version=0.0',
    'pax --sparse-version=0.1',
    'pax --sparse-version=1.0',
  ])
    test(`sparse files in ${options}`, async () => {
      using dir = folder()
      shell(
        dir.path,
        `for i in $(seq 40); do printf "part$i" | dd of=s bs=1 seek=$((i*100000)) conv=notrunc status=none; done; truncate -s 5000000 s; echo y >z`,
      )
      for (const piece of [1, 700, 100_000]) {
        const [entry, after] = await readAll(shell(dir.path, `tar --format=${options} -Sc s z`), piece)
        expect(entry).toMatchObject({ name: 's', size: 5_000_000 })
        expect(entry?.segments?.length).toBeGreaterThanOrEqual(40)
        expect(entry?.data.equals(shell(dir.path, 'cat s'))).toBe(true)
        expect(after?.data.toString()).toBe('y\n')
      }
    })
})

describe('a file that has more than 11 octal digits of bytes', () => {
  const size = 9 * 2 ** 30
  const base256 = archive([{ name: 'large' }], false)
  base256.fill(0, 124, 136)
  base256[124] = 0x80
  base256.writeUInt32BE(size / 2 ** 32, 128)
  base256.writeUInt32BE(size % 2 ** 32, 132)
  resum(base256)
  const cases = { 'base 256': base256, pax: archive([{ name: 'large', pax: { size: String(size) } }], false) }
  for (const [name, head] of Object.entries(cases))
    test(name, async () => {
      const zeros = Buffer.alloc(64 << 20)
      const reader = new TarReader(
        (async function* () {
          yield head
          for (let at = 0; at < size; at += zeros.length) yield zeros
          yield archive([{ name: 'after' }])
        })(),
      )
      expect(await reader.next()).toMatchObject({ name: 'large', size })
      let end = 0
      for (let part = await reader.data(); part; part = await reader.data()) {
        expect(part.offset).toBe(end)
        end += part.bytes.length
      }
      expect(end).toBe(size)
      expect(await reader.next()).toMatchObject({ name: 'after' })
    })
})

test('extended attributes of both kinds', async () => {
  const value = '\x01\0\0\x02'
  const pax = { 'SCHILY.xattr.security.capability': value, 'LIBARCHIVE.xattr.user.a%20b': 'aGk=' }
  const [entry] = await readAll(archive([{ name: 'a', pax }]))
  expect([...(entry?.xattrs ?? [])]).toEqual([
    ['security.capability', value],
    ['user.a b', 'hi'],
  ])
})

test('global headers hold until they are taken back', async () => {
  const body = '12 uid=4444\n'
  const entries = await readAll(
    archive([{ name: 'g', type: 'g', data: body }, { name: 'a' }, { name: 'b', pax: { uid: '5' } }]),
  )
  expect(entries.map(({ uid }) => uid)).toEqual([4444, 5])
})

test('an archive without its end mark is whole', async () => {
  expect(await readAll(archive([{ name: 'a' }], false))).toHaveLength(1)
})

describe('refused, with the name of the entry', () => {
  const whole = archive([{ name: 'first' }, { name: 'second', data: 'x'.repeat(600) }])
  const cases: Record<string, [Uint8Array, RegExp]> = {
    'data cut off': [whole.subarray(0, 1700), /"second"/],
    'a header cut off': [whole.subarray(0, 700), /"first"/],
    'a damaged header': [
      Buffer.concat([whole.subarray(0, 512), Buffer.alloc(512, 65), whole]),
      /after "first" is damaged/,
    ],
    'a huge pax header': [
      archive([{ name: 'first' }, { name: 'p', type: 'x', size: 2 ** 32 }]),
      /after "first" has/,
    ],
    'a broken pax header': [
      archive([{ name: 'first' }, { name: 'p', type: 'x', data: '99 a=b\n' }, { name: 'b' }]),
      /after "first"/,
    ],
    'a negative size': [archive([{ name: 'a', pax: { size: '-5' } }]), /"a" has a wrong size/],
    'an unknown type': [archive([{ name: 'a', type: 'Q' }]), /"a" is of a type/],
    'a NUL in a name': [archive([{ name: 'a', pax: { path: 'b\0c' } }]), /NUL/],
    'holes that overlap': [
      archive([{ name: 'a', data: 'xxxx', pax: { 'GNU.sparse.map': '0,2,1,2', 'GNU.sparse.size': '9' } }]),
      /"a" has a wrong map/,
    ],
    'holes beyond the end': [
      archive([{ name: 'a', data: 'xxxx', pax: { 'GNU.sparse.map': '8,4', 'GNU.sparse.size': '9' } }]),
      /"a" has a wrong map/,
    ],
    'a sparse map without an end': [
      archive([
        { name: 'a', data: '1'.repeat(4096), pax: { 'GNU.sparse.major': '1', 'GNU.sparse.realsize': '9' } },
      ]),
      /"a" has a wrong map/,
    ],
  }
  for (const [name, [bytes, error]] of Object.entries(cases))
    test(name, async () => {
      expect(readAll(bytes)).rejects.toThrow(error)
    })
})
