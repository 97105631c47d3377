/** `coop cp`: files and folders into a running box, and out of it. */
import { describe, expect, test } from 'bun:test'
import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  truncateSync,
  utimesSync,
} from 'node:fs'
import { join } from 'node:path'
import { scratch } from '../harness/sandbox.ts'
import { copied, cp, inside } from './copying.ts'
import { everyone, expectRefusal, needed, output, shell, shellTerminal, startBox } from './support.ts'

describe.each(everyone)('as $name', (invoker) => {
  const can = needed(invoker)

  test.skipIf(can.missing)(`a file goes in and comes out unchanged${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    const bytes = crypto.getRandomValues(new Uint8Array(60_000))
    const path = t.write('../file', bytes, 0o640)
    utimesSync(path, 981_158_400.5, 981_158_400.5)
    await copied(t, path, 'box:/tmp/')
    expect(await inside(t, 'stat -c "%a %u %g %.1Y" /tmp/file')).toBe('640 0 0 981158400.5\n')
    await copied(t, 'box:/tmp/file', join(t.home, 'back'))
    expect(new Uint8Array(readFileSync(join(t.home, 'back')))).toEqual(bytes)
    const { mode, uid, gid, mtimeMs } = lstatSync(join(t.home, 'back'))
    expect({ mode: mode & 0o7777, uid, gid, mtimeMs }).toEqual({
      mode: 0o640,
      uid: invoker.uid,
      gid: invoker.gid,
      mtimeMs: 981_158_400_500,
    })
  })

  test.skipIf(can.missing)(`target names follow the rules of cp${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    t.write('../a/f', '1')
    const host = (name: string): string => join(t.home, name)
    await copied(t, host('a/f'), ':/tmp/g') // under a new name
    await copied(t, host('a/f'), ':/tmp/g') // over an existing file
    await inside(t, 'mkdir /tmp/d /tmp/e; echo old >/tmp/d/f')
    await copied(t, host('a/f'), ':/tmp/d') // into a folder
    await copied(t, host('a'), ':/tmp/d') // a folder into another
    await copied(t, `${host('a')}/`, ':/tmp/new') // a folder under a new name
    await copied(t, `${host('a')}/.`, ':/tmp/e') // the contents of a folder
    await copied(t, host('a/f'), ':rel') // below the workspace
    await copied(t, host('a/f'), ':~/home') // below the home
    const found = await inside(t, 'cd /tmp; find g d e new -type f | sort; cat d/f; echo; ls ~/home')
    expect(found).toBe('d/a/f\nd/f\ne/f\ng\nnew/f\n1\n/home/coop/home\n')
    expect(readFileSync(join(t.workspace, 'rel'), 'utf8')).toBe('1')
    await copied(t, ':/tmp/d', t.home)
    await copied(t, ':/tmp/d/.', host('e'))
    await copied(t, ':/tmp/d', host('e'))
    await copied(t, ':/tmp/g', '..')
    await copied(t, 'box:', host('ws'))
    expect(readdirSync(host('d')).sort()).toEqual(['a', 'f'])
    expect(readdirSync(host('e')).sort()).toEqual(['a', 'd', 'f'])
    expect(readFileSync(host('g'), 'utf8')).toBe('1')
    expect(readdirSync(host('ws'))).toEqual(['rel'])
  })

  test.skipIf(can.missing)(`a folder comes back whole${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    const tree = t.folder('home/tree')
    for (const n of Array(150).keys()) t.write(`${tree}/many/${n}`, `${n}`)
    for (const n of Array(70).keys()) t.folder(`${tree}/folders/${n}/in`, 0o750)
    t.write(`${tree}/sub/new\nline`, 'x', 0o400)
    await shell(t, `cd ${tree} && printf y > $'\\xff\\xfe' && : > empty && ln sub/new* hard`)
    symlinkSync('/nowhere/at all', `${tree}/link`)
    t.write(`${tree}/sparse`, 'begin')
    truncateSync(`${tree}/sparse`, 20 << 20)
    chmodSync(`${tree}/sub`, 0o711)
    const describeTree = (folder: string): string =>
      `cd ${folder} && find . -printf "%p %y %m %s %T@ %l\\n" | grep -v ' d 755 ' | sort`
    const time = "find . -exec touch -h -d '2001-02-03 04:05:06.123456789' {} +"
    await shell(t, `cd ${tree} && ${time}`)
    await copied(t, tree, ':/tmp/tree')
    const before = output(
      await shell(t, `${describeTree(tree)}; cd ${tree}; find . -type f -exec sha256sum {} + | sort`),
    )
    const sums = 'cd /tmp/tree; find . -type f -exec sha256sum {} + | sort'
    expect(await inside(t, `${describeTree('/tmp/tree')}; ${sums}`)).toBe(before)
    expect(Number(await inside(t, 'stat -c %b /tmp/tree/sparse'))).toBeLessThan(1000)
    expect(await inside(t, 'stat -c %h /tmp/tree/hard; find /tmp/tree ! -user 0')).toBe('1\n')
    const back = join(t.home, 'back')
    await copied(t, ':/tmp/tree', back)
    expect(
      output(await shell(t, `${describeTree(back)}; cd ${back}; find . -type f -exec sha256sum {} + | sort`)),
    ).toBe(before)
    expect(lstatSync(join(back, 'sparse')).blocks).toBeLessThan(1000)
    expect(readlinkSync(join(back, 'link'))).toBe('/nowhere/at all')
    expect(output(await shell(t, `find ${back} ! -user ${invoker.uid}; find ${t.home} -name '.coop*'`))).toBe(
      '',
    )
    // Once more, over the existing files.
    await copied(t, `${tree}/.`, ':/tmp/tree')
    await copied(t, ':/tmp/tree/.', back)
    expect(await inside(t, `${describeTree('/tmp/tree')}; ${sums}`)).toBe(before)
  })

  test.skipIf(can.missing)(
    `files of all the box's ids come out, without their marks${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t)
      const range = invoker.hasRange ? 'chown 1234:99 /tmp/d /tmp/d/*; ' : ''
      await inside(t, `mkdir /tmp/d; echo 1 >/tmp/d/a; echo 2 >/tmp/d/b; ${range} chmod 0 /tmp/d/a /tmp/d`)
      await inside(t, 'chmod 4755 /tmp/d/b 2>/dev/null || chmod 755 /tmp/d/b')
      await copied(t, ':/tmp/d', join(t.home, 'd'))
      expect(lstatSync(join(t.home, 'd')).mode & 0o7777).toBe(0)
      const list = output(
        await shell(t, 'chmod 700 ../d; stat -c "%a %u" ../d/a ../d/b; chmod 600 ../d/a; cat ../d/a'),
      )
      expect(list).toBe(`0 ${invoker.uid}\n755 ${invoker.uid}\n1\n`)
    },
  )

  test.skipIf(can.missing)(`setuid marks go in where boxes may make them${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    t.write('../marked', 'x', 0o755)
    chmodSync(join(t.home, 'marked'), 0o6755)
    await copied(t, '../marked', ':/tmp/marked')
    expect(await inside(t, 'stat -c %a /tmp/marked')).toBe(invoker.uid === 0 ? '755\n' : '6755\n')
  })

  test.skipIf(can.missing)(`files without bytes are left out and reported${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    const listen = 'require("net").createServer().listen("s", () => process.exit())'
    await inside(t, 'mkdir /tmp/d; cd /tmp/d; echo x >f; mkfifo pipe; ln -s /dev/zero zero')
    const out = await cp(t, ':/tmp/d', '../d')
    expect(out).toMatchObject({ code: 0, stderr: expect.stringContaining('pipe is left out: it is a fifo') })
    expect(readdirSync(join(t.home, 'd')).sort()).toEqual(['f', 'zero'])
    await shell(t, `mkfifo ../d/pipe; cd ../d; command -v node >/dev/null && node -e '${listen}'`)
    const into = await cp(t, '../d', ':/tmp/e')
    expect(into).toMatchObject({ code: 0, stderr: expect.stringContaining('pipe is left out: it is a fifo') })
    expect(await inside(t, 'ls /tmp/e | tr "\\n" " "')).toBe('f zero ')
    for (const path of [':/dev/zero', ':/tmp/d/pipe'])
      expectRefusal(await cp(t, path, '../x'), { code: 1, sentence: /is not copied: it is a/, hint: /exec/ })
    expectRefusal(await cp(t, '../d/pipe', ':/tmp/x'), { code: 1, sentence: /it is a fifo/, hint: /files/ })
    expectRefusal(await cp(t, '-L', ':/tmp/d/zero', '../x'), { code: 1, sentence: /a device/, hint: /exec/ })
    expect(existsSync(join(t.home, 'x'))).toBe(false)
  })

  test.skipIf(can.missing)(`a link is copied as a link, or followed when asked${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    await inside(t, 'mkdir -p /tmp/d/e; echo 1 >/tmp/d/f; cd /tmp; ln -s d/f lf; ln -s d ld')
    await copied(t, ':/tmp/lf', '../one')
    await copied(t, '-L', ':/tmp/lf', '../two')
    await copied(t, ':/tmp/ld', '../three')
    await copied(t, '--follow-link', ':/tmp/ld', '../four')
    await copied(t, ':/tmp/ld/', '../five')
    const type = (name: string): string => {
      const stat = lstatSync(join(t.home, name))
      return stat.isSymbolicLink() ? 'link' : stat.isFile() ? 'file' : 'folder'
    }
    expect(['one', 'two', 'three', 'four', 'five'].map(type)).toEqual([
      'link',
      'file',
      'link',
      'folder',
      'folder',
    ])
    t.write('../dir/f', '2')
    symlinkSync('dir/f', join(t.home, 'lf'))
    symlinkSync('dir', join(t.home, 'ld'))
    await copied(t, '../lf', ':/tmp/a')
    await copied(t, '-L', '../lf', ':/tmp/b')
    await copied(t, '../ld', ':/tmp/c')
    await copied(t, '../ld/', ':/tmp/g')
    await copied(t, ':/tmp/d/f', '../ld/h') // links on the way are followed
    expect(await inside(t, 'cd /tmp; stat -c %F a b c g')).toBe(
      'symbolic link\nregular file\nsymbolic link\ndirectory\n',
    )
    expect(readdirSync(join(t.home, 'dir')).sort()).toEqual(['f', 'h'])
  })

  test.skipIf(can.missing)(`- is a stream of bytes${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    expect(await t.coop(['cp', '-', ':/tmp/f'], { stdin: 'some text' })).toMatchObject({
      code: 0,
      stderr: '',
    })
    expect(await cp(t, ':/tmp/f', '-')).toMatchObject({ code: 0, stdout: 'some text', stderr: '' })
    const flow = `seq 100000000 999999999 | head -c ${40 << 20}`
    const script = `set +o pipefail; ${flow} | coop cp - :/tmp/g && coop cp :/tmp/g - | cmp - <(${flow}) && echo same`
    expect(output(await shell(t, script))).toBe('same\n')
    expectRefusal(await cp(t, '-', ':/tmp'), { code: 1, sentence: /is a folder/, hint: /name the file/ })
    expectRefusal(await cp(t, ':/tmp', '-'), { code: 1, sentence: /is a folder/, hint: /name a file/ })
  })

  const seen = needed(invoker, 'tmux')
  test.skipIf(seen.missing)(`a slow copy shows its progress, on a terminal only${seen.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    const slow = '{ echo a; sleep 1.2; echo b; cat; } | coop cp - :/tmp/f'
    const terminal = await shellTerminal(t, slow)
    await terminal.waitFor(/0 files, 4B/)
    const piped = await shell(t, `{ echo a; sleep 1.2; echo b; } | coop cp - :/tmp/g`)
    expect(piped).toMatchObject({ code: 0, stdout: '', stderr: '' })
  })
})
