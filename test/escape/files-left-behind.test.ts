/**
 * Files of a box on the host's disk that other users of the host could run.
 *
 * Root of a box may mark its files setuid. Inside, this has no effect, but outside the file belongs to the
 * invoking user, or through an idmapped mount to root. So coop's own folders must be closed to others, and
 * such a mark must not be possible in the workspace. Control: others can run a file that the user marks.
 */
import { describe, expect, test } from 'bun:test'
import { chmodSync, copyFileSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { needsAll } from '../harness/facts.ts'
import { asInvoker } from '../harness/process.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { type Invoker, invokers, ordinary, solo } from '../harness/users.ts'
import { inBox, needed, said, startBox } from './support.ts'

const modeOf = (path: string) => statSync(path).mode & 0o7777
/** Another user of the host. */
const strangerTo = (invoker: Invoker) => (invoker.uid === ordinary.uid ? solo : ordinary)

async function asStranger(t: Scratch, command: string[]): Promise<string> {
  const stranger = strangerTo(t.invoker)
  if (!stranger) return ''
  const child = Bun.spawn(asInvoker(stranger, command), {
    cwd: '/',
    stdout: 'pipe',
    stderr: 'ignore',
    env: {},
  })
  return (await new Response(child.stdout).text()).trim()
}

describe.each(invokers)('as $name', (invoker) => {
  const box = needed(invoker)
  const others = needsAll({
    'another user': strangerTo(invoker) !== undefined,
    'user namespaces': !box.missing,
  })

  test.skipIf(others.missing)(
    `positive control: a marked file runs as its owner for others${others.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const folder = mkdtempSync('/var/tmp/coop-marked-')
      try {
        chmodSync(folder, 0o755)
        copyFileSync('/usr/bin/id', join(folder, 'id'))
        Bun.spawnSync(['chown', `${invoker.uid}`, join(folder, 'id')])
        chmodSync(join(folder, 'id'), 0o4755)
        expect(await asStranger(t, [join(folder, 'id'), '-u'])).toBe(`${invoker.uid}`)
      } finally {
        rmSync(folder, { recursive: true })
      }
    },
  )

  test.skipIf(others.missing)(
    `other users do not reach the files of a box on disk${others.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      chmodSync(t.home, 0o755)
      const data = join(t.home, '.local/share/coop')
      // The folders as coop makes them without any configuration.
      const env = { COOP_DATA_DIR: undefined, XDG_DATA_HOME: undefined }
      t.folder(join(t.home, '.local/share'))
      await t.coop(['system', 'shutdown'])
      const options = { env: { ...env } }
      const started = await t.coop(['-d', '-n', 'box', '--agent', 'sleep infinity'], options)
      expect(started.code).toBe(0)
      const mark = 'cp /usr/bin/id ~/id; cp /usr/bin/id ~/.claude/id; chmod 6755 ~/id ~/.claude/id'
      await t.coop(['exec', '-n', 'box', '--', 'sh', '-c', mark], options)
      expect(await asStranger(t, ['find', data, '-name', 'id'])).toBe('')
      expect(modeOf(data) & 0o077).toBe(0)
      await t.coop(['kill', '--all', '-f'], options)
      await t.coop(['system', 'shutdown'], options)
    },
  )

  // An ordinary user's box may make files that are setuid to that user (SECURITY.md); apt needs to.
  if (invoker.uid === 0)
    test.skipIf(box.missing)(
      `no file of root's workspace gets a setuid or setgid mark or capabilities${box.note}`,
      async () => {
        await using t = await scratch(invoker, { git: false })
        await startBox(t)
        const marks = [
          'cp /usr/bin/id a; chmod u+s a; :',
          'cp /usr/bin/id b; chmod 6755 b; :',
          'python3 -c \'import os; os.close(os.open("c", os.O_CREAT | os.O_WRONLY, 0o6755))\'; :',
          'python3 -c \'import os; os.mknod("d", 0o106755)\'; :',
          'cp /usr/bin/id e; install -m 4755 /usr/bin/id f; setcap all+ep e; :',
        ]
        for (const script of marks)
          said(await t.coop(['exec', '-n', 'box', '--', 'sh', '-c', `(${script}) 2>/dev/null`]))
        const list = await t.run(['find', '.', '-type', 'f', '-perm', '/6000'])
        expect(list.stdout).toBe('')
        expect((await t.run(['/usr/sbin/getcap', '-r', '.'])).stdout).toBe('')
      },
    )

  test.skipIf(box.missing)(
    `a box makes no device, and its whiteouts are not devices outside${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const tries = [
        'mknod a b 254 0',
        'mknod b c 1 1',
        'mknod ~/c b 254 0',
        'mknod /dev/d c 1 1',
        'mknod /usr/e c 5 1',
      ]
      expect(
        await inBox(
          t,
          `for c in ${tries.map((c) => `'${c}'`).join(' ')}; do eval $c && echo "$c"; done 2>/dev/null; :`,
        ),
      ).toBe('')
      expect(
        (await t.run(['find', t.root, '-type', 'b', '-o', '-type', 'c', '!', '-perm', '000'])).stdout,
      ).toBe('')
    },
  )
})
