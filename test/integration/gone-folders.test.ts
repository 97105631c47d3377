/** Folders that are deleted, moved away or replaced while coop runs in them, or while a box has them. */
import { describe, expect, test } from 'bun:test'
import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { RunResult } from '../harness/process.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { waitUntil } from '../harness/wait.ts'
import { everyone, needed, shell, shellTerminal } from './support.ts'

const worked = ({ code, stdout, stderr }: RunResult): string => {
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}
const start = async (t: Scratch): Promise<string> =>
  worked(await t.coop(['-d', '-n', 'box', '--agent', 'sleep infinity']))

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker)
  const tmux = needed(invoker, 'tmux')

  test.skipIf(box.missing)(`commands that need no folder work in a deleted one${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await start(t)
    const file = t.write('file', 'content\n')
    const inGone = (command: string): Promise<RunResult> =>
      shell(t, `mkdir -p gone; cd gone; rmdir ../gone; ${command}`)
    expect(worked(await inGone('coop --version'))).toStartWith('coop ')
    expect(worked(await inGone('coop --help'))).toContain('Usage')
    expect(worked(await inGone('coop ls'))).toContain('box')
    expect(worked(await inGone('coop status box'))).toContain(t.workspace)
    expect(worked(await inGone('coop exec -n box pwd'))).toBe(`${t.workspace}\n`)
    expect(worked(await inGone(`coop run -w ${t.workspace} pwd`))).toBe(`${t.workspace}\n`)
    worked(await inGone(`coop cp ${file} box:/tmp/file`))
    expect(worked(await inGone('coop cp box:/tmp/file -'))).toBe('content\n')
    const screen = await inGone('coop screen p')
    expect(screen.stderr).toMatch(/^coop: there is no box named p(?: \[|\n)/)
    for (const command of ['coop kill', 'coop status', 'coop exec true'])
      expect((await inGone(command)).stderr).toMatch(/^hint: name the box, .*coop ls/m)
    for (const command of [
      'coop run true',
      'coop -d',
      'coop status',
      'coop status ./box',
      'coop cp file box:/x',
    ]) {
      const { code, stderr } = await inGone(command)
      expect({ command, failed: code !== 0, stderr }).toEqual({
        command,
        failed: true,
        stderr: expect.stringMatching(/^coop: the current folder no longer exists \[E_WORKSPACE\]$/m),
      })
    }
    worked(await inGone('coop kill -f box'))
    expect(worked(await inGone('coop system status'))).toContain('version')
  })

  test.skipIf(box.missing || invoker.uid === 0)(
    `in a folder that the user may not enter, the message says what to do${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const { code, stderr } = await shell(t, 'mkdir closed; cd closed; chmod 0 .; coop ls')
      expect(code).toBe(1)
      expect(stderr.replaceAll('\u00a0', ' ')).toContain('You may not enter it: run coop in another one')
      expect((await shell(t, 'mkdir -m 0311 dark; cd dark; coop ls')).code).toBe(0)
    },
  )

  test.skipIf(tmux.missing)(`a workspace that is moved or replaced is told of${tmux.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const folder = t.folder('home/moving')
    t.write(join(folder, 'old'), '')
    worked(await t.coop(['-d', '-n', 'box', '-w', folder, '--agent', 'sleep infinity']))
    interface Listed {
      readonly clients: number
      readonly displaced?: { readonly workspace?: string }
    }
    const listed = async (): Promise<Listed> => {
      const [one] = JSON.parse(worked(await t.coop(['ls', '--json']))) as [Listed]
      return one
    }
    const told = async (pattern: RegExp, word: 'moved' | 'deleted' | 'replaced'): Promise<void> => {
      expect((await t.coop(['ls'])).stdout).toContain(`moving (${word})`)
      expect((await listed()).displaced?.workspace).toBe(word)
      expect(worked(await t.coop(['status', 'box']))).toMatch(pattern)
      const exec = await t.coop(['exec', '-n', 'box', 'ls'])
      expect(worked(exec)).toBe(word === 'deleted' ? '' : 'old\n')
      expect(exec.stderr).toMatch(pattern)
      for (const command of ['attach', 'shell']) {
        await using terminal = await shellTerminal(t, `coop ${command} box; echo "CODE $?"; exec cat`)
        await waitUntil(async () => (await listed()).clients === 1, 'the client')
        await terminal.keys('C-]')
        await terminal.waitFor(/^CODE 0$/m)
        expect(await terminal.screen({ history: true })).toMatch(pattern)
      }
    }
    expect((await t.coop(['exec', '-n', 'box', 'true'])).stderr).toBe('')
    renameSync(folder, join(t.home, 'away'))
    await told(/moving was\s+moved/, 'moved')
    const again = t.folder('home/moving')
    await told(/another\s+folder\s+is\s+at/, 'replaced')
    expect((await t.coop(['-d'], { cwd: again })).stderr).toMatch(/another folder is at/)
    rmSync(again, { recursive: true })
    renameSync(join(t.home, 'away'), folder)
    expect((await t.coop(['ls'])).stdout).toMatch(/moving +host/)
    expect((await t.coop(['exec', '-n', 'box', 'true'])).stderr).toBe('')
    rmSync(folder, { recursive: true })
    await told(/moving was\s+deleted/, 'deleted')
  })

  test.skipIf(box.missing)(`a mounted file that was replaced by renaming is told of${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const file = t.write(join(t.home, 'kept/file'), 'one\n')
    t.settings(`[sandbox]\nmounts = ["${file}:/srv/file"]\n`)
    await start(t)
    const cat = ['exec', '-n', 'box', 'cat', '/srv/file']
    expect(await t.coop(cat)).toMatchObject({ stdout: 'one\n', stderr: '' })
    renameSync(t.write(join(t.home, 'kept/new'), 'two\n'), file)
    const replaced = await t.coop(cat)
    expect(replaced.stdout).toBe('one\n')
    expect(replaced.stderr).toContain(`the file ${file} was replaced`)
    rmSync(file)
    expect((await t.coop(cat)).stderr).toContain(`the file ${file} was moved or deleted`)
    t.write(file, 'two\n')
    worked(await t.coop(['stop', '-f', 'box']))
    worked(await t.coop(['start', 'box']))
    expect(await t.coop(cat)).toMatchObject({ stdout: 'two\n', stderr: '' })
  })
})
