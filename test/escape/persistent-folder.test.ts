/**
 * Links that a box plants in folders that coop writes between two runs.
 *
 * A box owns its persistent folders. Before the next start, coop reads settings in them and writes others, as the
 * user, or as root of the host. It must not follow the box's links, and they must not keep the box from
 * starting. The control: without a link the settings are written.
 */
import { describe, expect, test } from 'bun:test'
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { compile, everyone, needed, said, startBox } from './support.ts'

/** A pretended Claude Code of the user's: only coop's own actions matter here. */
function installAgent(t: Scratch): void {
  t.write(join(t.home, '.local/bin/claude'), '#!/bin/sh\nexec sh -c "$COMMAND"\n', 0o755)
  for (const folder of ['.local', '.local/bin']) chmodSync(join(t.home, folder), 0o755)
}

const run = (t: Scratch, script: string) => t.coop(['run', '--agent', 'claude', '--', 'sh', '-c', script])
const folderOf = (t: Scratch) => {
  const volumes = join(t.dataDir, 'volumes')
  const [name = ''] = readdirSync(volumes).filter(
    (entry) => entry.endsWith('-claude') && entry !== 'login-claude',
  )
  return join(volumes, name)
}

const NAMES = ['.claude.json', 'settings.json', '.claude.json.coop.tmp', 'settings.json.coop.tmp']

/** Exchanges coop's temporary file for a link to its argument as soon as the file exists. */
const SWAP = `
#define _GNU_SOURCE
#include <stdio.h>
#include <unistd.h>
#include <fcntl.h>
#include <sys/stat.h>
int main(int argc, char **argv) {
  for (;;) {
    struct stat s;
    if (lstat("link", &s) || !S_ISLNK(s.st_mode)) { unlink("link"); symlink(argv[1], "link"); }
    for (int i = 0; i < 1000; i++)
      if (renameat2(AT_FDCWD, "link", AT_FDCWD, ".claude.json.coop.tmp", RENAME_EXCHANGE) == 0) break;
  }
}`

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker)

  test.skipIf(box.missing)(`positive control: coop writes settings before a start${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    installAgent(t)
    said(await run(t, 'rm -f ~/.claude/settings.json ~/.claude/.claude.json'))
    said(await run(t, 'true'))
    expect(readFileSync(join(folderOf(t), '.claude.json'), 'utf8')).toContain('hasCompletedOnboarding')
  })

  test.skipIf(box.missing)(
    `coop neither writes nor reads through links at the settings' names${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      installAgent(t)
      const victim = t.write(join(t.home, 'victim.json'), '{"secret":"SECRET"}\n', 0o640)
      const before = statSync(victim)
      for (const target of [victim, join(t.home, 'not-there')]) {
        const plant = NAMES.map((name) => `rm -rf ~/.claude/${name}; ln -s ${target} ~/.claude/${name}`)
        said(await run(t, plant.join('; ')))
        const next = await run(t, 'cat ~/.claude/.claude.json ~/.claude/settings.json 2>/dev/null; :')
        expect(next.stdout).not.toContain('SECRET')
        const { uid, gid, mode } = statSync(victim)
        expect({ uid, gid, mode }).toEqual({ uid: before.uid, gid: before.gid, mode: before.mode })
        expect(readFileSync(victim, 'utf8')).toBe('{"secret":"SECRET"}\n')
        expect(existsSync(join(t.home, 'not-there'))).toBe(false)
      }
    },
  )

  const forms: Readonly<Record<string, string>> = {
    'a link out': 'ln -s /etc/passwd',
    'a link to nowhere': 'ln -s /nowhere',
    'a link to itself': 'ln -s .claude.json',
    'a fifo': 'mkfifo',
    'a folder': 'mkdir -p',
  }
  for (const [form, command] of Object.entries(forms)) {
    test.skipIf(box.missing)(
      `${form} in the place of a setting does not prevent a start${box.note}`,
      async () => {
        await using t = await scratch(invoker, { git: false })
        installAgent(t)
        const blocked: string[] = []
        for (const name of NAMES) {
          const at = `~/.claude/${name}`
          said(await run(t, `rm -rf ~/.claude/.claude.json* ~/.claude/settings.json*; ${command} ${at}; :`))
          const next = await run(t, `rm -rf ${at}; echo started`)
          if (next.stdout !== 'started\n') blocked.push(`${name}: ${next.stderr.split('\n')[0]}`)
          // So that one blocked start does not hide the next.
          Bun.spawnSync(['rm', '-rf', join(folderOf(t), name)])
        }
        expect(blocked).toEqual([])
      },
    )
  }

  test.skipIf(box.missing)(
    `links that a box plants in the user's own settings bring nothing to other boxes${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      installAgent(t)
      t.write(join(t.home, 'private/skill'), 'PRIVATE\n')
      t.folder('home/.claude', 0o700)
      const look = 'cd ~/.claude; grep -r PRIVATE . ~/.coop-login; echo looked'
      const names = ['CLAUDE.md', 'skills', '.credentials.json']
      const targets = ['../private/skill', '../private', '../private/skill']
      const plant = names.map((name, index) => `ln -s ${targets[index]} ${t.home}/.claude/${name}`).join('; ')
      const place = ['-w', join(t.home, '.claude'), '--', 'sh', '-c']
      // Positive control: the user's own links are followed.
      await t.run(['sh', '-c', plant])
      const own = said(
        await t.coop(['run', '-w', t.folder('home/one'), '--agent', 'claude', '--', 'sh', '-c', look]),
      )
      for (const name of ['CLAUDE.md', 'skills/skill', '.coop-login']) expect(own).toContain(name)
      const remove = names.map((name) => `rm ${t.home}/.claude/${name}`).join('; ')
      expect((await t.coop(['run', ...place, `${remove}; ${plant}`])).code).toBe(0)
      rmSync(join(t.dataDir, 'volumes/login-claude'), { recursive: true })
      const next = said(
        await t.coop(['run', '-w', t.folder('home/two'), '--agent', 'claude', '--', 'sh', '-c', look]),
      )
      expect(next).toBe('looked\n')
    },
  )

  test.skipIf(box.missing)(
    `a box that swaps names while others start changes nothing on the host${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      installAgent(t)
      const victim = t.write(join(t.home, 'victim'), 'untouched\n', 0o640)
      const before = statSync(victim)
      const swap = t.write('swap', compile(SWAP), 0o755)
      await startBox(t, 'swapper', `sh -c 'cd ~/.claude && exec ${swap} ${victim}'`)
      for (let i = 0; i < 20; i++) {
        await run(t, 'true')
        for (const name of readdirSync(folderOf(t))) rmSync(join(folderOf(t), name), { force: true })
      }
      await t.coop(['kill', '-f', 'swapper'])
      const { uid, gid, mode } = statSync(victim)
      expect({ uid, gid, mode }).toEqual({ uid: before.uid, gid: before.gid, mode: before.mode })
      expect(readFileSync(victim, 'utf8')).toBe('untouched\n')
    },
  )
})
