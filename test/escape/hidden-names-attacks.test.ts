/**
 * A box that works against the watch over secrets: it first does something odd, and then the host saves a secret, which
 * must be hidden all the same. The search for the value is the positive control of each: `hidden-names.test.ts`.
 */
import { describe, expect, test } from 'bun:test'
import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { waitUntil } from '../harness/wait.ts'
import { compile, everyone, needed, said, startBox } from './support.ts'

const VALUE = `v${crypto.randomUUID().replaceAll('-', '')}`
// In two parts, so that the search does not find itself.
const LEAKS = `half=${VALUE.slice(0, 16)}; half="$half"${VALUE.slice(16)}; grep -rls "$half" . 2>/dev/null; :`

/** A box, what it does, and what the host saves. */
class Fight {
  readonly #t: Scratch
  #marks = 0
  constructor(t: Scratch) {
    this.#t = t
  }
  at(path: string): string {
    return join(this.#t.workspace, path)
  }
  async box(script: string): Promise<string> {
    // Not `said`: coop may warn that the workspace has moved.
    const { code, stdout, stderr } = await this.#t.coop(['exec', '-n', 'box', '--', 'sh', '-c', script])
    if (code !== 0) throw new Error(`${script}: ${code} ${stderr}`)
    return stdout
  }
  /** As editors save: a new file, renamed over the old one. */
  save(path: string): void {
    this.#t.write('.saving', VALUE)
    mkdirSync(join(this.at(path), '..'), { recursive: true })
    renameSync(this.at('.saving'), this.at(path))
  }
  /** Everything that happened until now has been looked at. */
  async settled(): Promise<void> {
    const mark = `mark-${this.#marks++}.key`
    this.#t.write(mark, VALUE)
    await this.empty(mark)
  }
  /** Waits until the box finds nothing. Before that, the host's file must be there for it. */
  async empty(what: string): Promise<void> {
    await waitUntil(async () => (await this.box(LEAKS)) === '', `${what} is hidden`)
  }
}

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker, 'gcc')

  test.skipIf(box.missing)(`a box cannot end the watch over secrets${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    for (const folder of ['one', 'two', 'sub', 'config']) t.folder(join(t.workspace, folder))
    t.write('config/real.txt', VALUE)
    t.write('attack', compile(ATTACK), 0o755)
    symlinkSync('config/real.txt', join(t.workspace, '.env'))
    symlinkSync('later/real.txt', join(t.workspace, '.env.later'))
    await startBox(t)
    const fight = new Fight(t)

    // Positive control: what has no such name is found.
    t.write('visible.txt', VALUE)
    expect(await fight.box(LEAKS)).toBe('./visible.txt\n')
    rmSync(fight.at('visible.txt'))

    await fight.box('./attack exchange one two')
    await fight.settled()
    for (const path of ['one/.env', 'two/.env']) fight.save(path)
    await fight.empty('a secret in folders that were exchanged')

    await fight.box('mkdir -m 0 closed')
    await fight.settled()
    await fight.box('chmod 755 closed')
    fight.save('closed/.env')
    await fight.empty('a secret in a folder that could not be read for a while')

    fight.save('config/real.txt')
    await fight.empty('a new file to which a link of a secret leads')
    fight.save('later/real.txt')
    await fight.empty('a file to which a link led before it was there')

    await fight.box('mkdir sub/.coopignore; mkdir bad; echo "x # y" >bad/.coopignore; touch bad/new')
    fight.save('sub/deep/.env')
    fight.save('bad/.env')
    await fight.empty('a secret after a .coopignore that cannot be read')
    const second = await t.coop(['run', '--', 'true'])
    expect(second.stderr).toContain('.coopignore')
    fight.save('.npmrc')
    await fight.empty('a secret after a box that was refused')
  })

  test.skipIf(box.missing)(
    `another folder at the path of a workspace, and one that moves${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write('.npmrc', VALUE)
      await startBox(t)
      const fight = new Fight(t)
      renameSync(t.workspace, join(t.home, 'moved'))
      t.write(join(t.home, 'moved/sub/.env'), VALUE)
      t.folder(t.workspace)
      await fight.empty('a secret in a workspace that was renamed')
      t.write('other.key', VALUE)
      // A new box of the path sees the new folder, with masks for what is in that one.
      expect(said(await t.coop(['run', '--', 'sh', '-c', `ls; ${LEAKS}`]))).toBe('other.key\n')
    },
  )

  test.skipIf(box.missing)(`a folder that a process has open becomes one of secrets${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('attack', compile(ATTACK), 0o755)
    t.folder(join(t.workspace, 'plain/deep'))
    await startBox(t)
    const fight = new Fight(t)
    const held = t.startCoop(['exec', '-n', 'box', '--', './attack', 'hold', 'plain', 'token'])
    const deep = t.startCoop(['exec', '-n', 'box', '--', './attack', 'hold', 'plain/deep', 'token'])
    await waitUntil(
      async () => (await fight.box('ls held-*')).trim().split('\n').length === 2,
      'open folders',
    )
    renameSync(fight.at('plain'), fight.at('secrets'))
    await fight.settled()
    fight.save('secrets/token')
    fight.save('secrets/deep/token')
    await fight.settled()
    await fight.box('echo >look')
    for (const one of [held, deep]) expect(said(await one.finished())).toBe('0 bytes\n')
  })
})

const ATTACK = `
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>
int main(int argc, char **argv) {
  if (!strcmp(argv[1], "exchange"))
    return syscall(SYS_renameat2, AT_FDCWD, argv[2], AT_FDCWD, argv[3], 2) ? (perror("renameat2"), 1) : 0;
  char name[64], bytes[64];
  int folder = open(argv[2], O_PATH | O_DIRECTORY);
  sprintf(name, "held-%d", getpid());
  close(open(name, O_CREAT | O_WRONLY, 0644));
  while (access("look", F_OK)) usleep(1000);
  int file = openat(folder, argv[3], O_RDONLY);
  printf("%d bytes\\n", file < 0 ? -1 : (int)read(file, bytes, sizeof bytes));
  return 0;
}`
