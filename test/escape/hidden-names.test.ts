/**
 * Files with the names of secrets, in a workspace and in mounts: those that are there when a box starts, and those that
 * the host makes, renames or replaces while it runs.
 */
import { describe, expect, test } from 'bun:test'
import { linkSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { waitUntil } from '../harness/wait.ts'
import { compile, everyone, inBox, needed, said, startBox } from './support.ts'

const VALUE = `v${crypto.randomUUID().replaceAll('-', '')}`
// In two parts, so that the search does not find itself.
const SEARCH = `half=${VALUE.slice(0, 16)}; half="$half"${VALUE.slice(16)}; `
/** The files below the current folder, and the open files of all processes, whose content has the value. */
const LEAKS = `${SEARCH}grep -rls "$half" . /proc/[0-9]*/fd /proc/[0-9]*/environ 2>/dev/null; :`

const FILES = (
  '.env .env.local .ENV .Env.Production sub/.env deep/er/.envrc a.pem B.KEY c.p8 d.p12 e.pfx f.jks g.keystore h.kdbx ' +
  'i.ppk j.ovpn k.tfvars l.tfvars.json terraform.tfstate m.tfstate.backup id_rsa id_ed25519 id_ecdsa.old .netrc _netrc ' +
  '.npmrc .pypirc .git-credentials .htpasswd .dockercfg .pgpass .my.cnf .s3cfg .boto .vault-token credentials.json ' +
  'credentials-x.json credentials.yml service-account.json x-sa.json client_secret_1.json kubeconfig secrets.yml ' +
  'n.secret o.secrets database.yml secrets/token .secrets/a/b credentials/c .aws/config .kube/config .ssh/known ' +
  '.gnupg/ring .docker/config.json Secrets/x module/worktree/.env own/plan.txt own/deep/notes.md server.\u212aey ' +
  'ge\u0301heim.txt with\\backslash.key new\nline.key'
).split(' ')
const SHOWN = ['.env.example', 'env', 'README.md', 'cacert.pem', 'secret', 'secrets.sample']

function plant(t: Scratch): void {
  for (const file of FILES) t.write(file, `${VALUE}\n`)
  for (const file of SHOWN) t.write(file, 'shown\n')
  t.write('.coopignore', '# by name\nG\u00e9heim.txt\n')
  t.write('own/.coopignore', 'plan.txt\n*.md\n')
  t.write('with space.pem', VALUE)
  t.write('named-by-a-link.txt', VALUE)
  symlinkSync('named-by-a-link.txt', join(t.workspace, '.env.link'))
  linkSync(join(t.workspace, '.env'), join(t.workspace, 'innocent'))
  linkSync(join(t.workspace, 'secrets/token'), join(t.workspace, 'deep/also-innocent'))
  symlinkSync('../secrets', join(t.workspace, 'deep/way'))
}

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker)
  const spy = needed(invoker, 'gcc')

  test.skipIf(box.missing)(
    `all are empty from the start; without their names they are not${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      plant(t)
      expect(await inBox(t, LEAKS)).toBe('')
      // "There, but empty": names stay, and what is shown has its content.
      const look = `for f in .env .ENV innocent named-by-a-link.txt; do [ -f $f ] && [ ! -s $f ] && echo "$f"; done
      [ -d secrets ] && [ -z "$(ls -A secrets)" ] && echo secrets
      for f in ${SHOWN.join(' ')}; do cat $f; done`
      const there = [
        '.env',
        '.ENV',
        'innocent',
        'named-by-a-link.txt',
        'secrets',
        ...SHOWN.map(() => 'shown'),
      ]
      expect((await inBox(t, look)).trim().split('\n')).toEqual(there)
      // Positive control: the search finds the same content under names that nobody hides.
      t.write('visible.txt', VALUE)
      expect(await inBox(t, LEAKS)).toBe('./visible.txt\n')
      t.settings('[secrets]\nshow = [".env"]\nhide = ["visible.*"]\n')
      const shown = (await inBox(t, LEAKS)).trim().split('\n').toSorted()
      expect(shown).toEqual(['./.env', './innocent', './module/worktree/.env', './sub/.env'])
    },
  )

  test.skipIf(box.missing)(`mounts, nested or read-only, hide theirs too${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const [lib, other] = [t.folder('lib'), t.folder('other')]
    for (const at of [lib, other, t.workspace]) t.write(join(at, 'sub/.env'), VALUE)
    t.write(join(lib, 'sub/open.txt'), VALUE)
    const mounts = ['-m', `${lib}:/lib-src`, '-m', `${other}:/other:ro`, '-m', `${lib}:${t.workspace}/lib`]
    const script = `${SEARCH}grep -rls "$half" . /lib-src /other; :`
    const found = (await inBox(t, script, mounts)).trim().split('\n').toSorted()
    expect(found).toEqual(['./lib/sub/open.txt', '/lib-src/sub/open.txt'])
  })

  test.skipIf(box.missing)(
    `masks can be neither removed, moved, written nor unmounted${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      for (const file of ['config/.env', 'secrets/token', '.env']) t.write(file, VALUE)
      t.write('.coopignore', 'plan.txt\n')
      t.write('config/plan.txt', VALUE)
      t.settings('[sandbox]\nnested = true\n')
      const tries = [
        'rm -f .env',
        'mv .env seen',
        'mv secrets seen',
        'ln .env seen',
        'umount .env',
        'umount -l secrets',
        'mount --bind . /mnt',
        'mount -o remount,rw .env',
        'chmod 666 .env',
        'sh -c "echo x > .env"',
        'touch secrets/new',
        'sh -c "echo > .coopignore"',
        'mv .coopignore elsewhere',
        'rm -rf /dev/.coop',
        'unshare -Ur --mount sh -c "umount .env"',
        'unshare -Ur --mount sh -c "umount -l secrets && cat secrets/token"',
      ]
      const script = `${tries.map((one) => `${one} >/dev/null 2>&1 && echo 'worked: ${one.replaceAll("'", '')}'`).join('; ')}
      mv config renamed && cat renamed/.env renamed/plan.txt
      unshare -Ur --mount sh -c 'mkdir /tmp/all && mount --rbind . /tmp/all && cat /tmp/all/.env /tmp/all/secrets/*'
      unshare -Ur --mount sh -c 'mount --bind . /tmp/all && cat /tmp/all/.env'
      cat /proc/1/root$PWD/.env /proc/self/root$PWD/.env /proc/self/cwd/.env
      cp -a . /tmp/copy; tar cf /tmp/t.tar .; ${SEARCH}grep -rls "$half" . /tmp; :`
      expect(await inBox(t, `{ ${script}\n} 2>/dev/null`)).toBe('')
      // What the box has moved is hidden from the next one, too.
      expect(await inBox(t, LEAKS)).toBe('')
      expect(readdirSync(t.workspace).toSorted()).toEqual(['.coopignore', '.env', 'renamed', 'secrets'])
    },
  )

  test.skipIf(box.missing)(
    `a folder of secrets moved into git's own folder stays hidden${box.note}`,
    async () => {
      await using t = await scratch(invoker)
      t.write('config/.env', VALUE)
      t.write('config/secrets/token', VALUE)
      await inBox(t, 'git branch secrets/a.key; mv config .git/refs/heads/config')
      expect(await inBox(t, LEAKS)).toBe('')
      expect(await inBox(t, 'git rev-parse -q --verify secrets/a.key >/dev/null && echo there')).toBe(
        'there\n',
      )
    },
  )

  test.skipIf(box.missing)(
    `what the host makes, moves or replaces later is hidden at once${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write('.env', VALUE)
      t.write('kept/secrets/token', VALUE)
      await startBox(t)
      const { stdout } = await t.coop(['status', 'box', '--secrets', '--json'])
      const names = [
        { path: `${t.workspace}/.env`, rule: 'built-in .env' },
        { path: `${t.workspace}/kept/secrets/`, rule: 'built-in secrets' },
      ]
      expect(JSON.parse(stdout)).toMatchObject({ hiddenCount: 2, hidden: expect.arrayContaining(names) })
      const at = (path: string): string => join(t.workspace, path)
      const run = async (script: string): Promise<void> => {
        const { code, stderr } = await t.run(['sh', '-c', script])
        if (code !== 0) throw new Error(`${script}: ${stderr}`)
      }
      const ways: readonly [string, () => unknown][] = [
        [
          'an editor that renames a new file over it',
          () => {
            t.write('.tmp', VALUE)
            renameSync(at('.tmp'), at('.env'))
          },
        ],
        [
          'removed and made again',
          () => {
            rmSync(at('.env'))
            t.write('.env', VALUE)
          },
        ],
        ['a new file', () => t.write('fresh/deep/er/.npmrc', VALUE)],
        [
          'a renamed file',
          () => {
            t.write('plain.txt', 'x')
            writeFileSync(at('plain.txt'), VALUE)
            renameSync(at('plain.txt'), at('plain.key'))
          },
        ],
        [
          'a renamed folder',
          () => {
            mkdirSync(at('ordinary'))
            writeFileSync(at('ordinary/token'), VALUE)
            renameSync(at('ordinary'), at('.aws'))
          },
        ],
        [
          'a folder moved in',
          () => {
            const outside = t.folder('outside/a/b')
            t.write(join(outside, 'x.pem'), VALUE)
            renameSync(join(t.root, 'outside'), at('moved-in'))
          },
        ],
        ['a secret under an innocent name', () => renameSync(at('plain.key'), at('plain.txt'))],
        ['one more name', () => linkSync(at('.env'), at('other-name'))],
        ['out of a folder of secrets', () => renameSync(at('kept/secrets/token'), at('kept/token'))],
        [
          'two names, one of them before the other',
          () => {
            t.write('first-name', VALUE)
            linkSync(at('first-name'), at('second.key'))
          },
        ],
        ['sed', () => run("sed -i 's/$/ /' .env")],
        ['cp and mv', () => run('cp -a .env tmp; mv tmp sub.env; cp sub.env .env.copy; rm sub.env')],
        [
          'rsync',
          () =>
            run(
              'mkdir -p ../from/.ssh; cp .env.copy ../from/.ssh/key; rsync -a ../from/ . || cp -a ../from/. .',
            ),
        ],
        ['vim', () => run('vim -es -c "normal ax" -c wq .env.copy || printf x >> .env.copy')],
        [
          'git checkout',
          () =>
            run(`git init -q .; git add -f .env.copy; git -c user.name=x -c user.email=x@y commit -qm x
              rm .env.copy; git checkout -q -- .env.copy; mv .git ../kept-git`),
        ],
        [
          'a pattern',
          () => {
            t.write('later.dat', VALUE)
            t.write('.coopignore.new', 'later.*\n')
            renameSync(at('.coopignore.new'), at('.coopignore'))
          },
        ],
      ]
      for (const [name, make] of ways) {
        await make()
        await waitUntil(
          async () => said(await t.coop(['exec', '-n', 'box', '--', 'sh', '-c', LEAKS])) === '',
          name,
        )
      }
      // A box that writes a bad .coopignore stops nothing for itself.
      const write = 'mkdir own; printf "a[b\\nx # y\\n" > own/.coopignore'
      said(await t.coop(['exec', '-n', 'box', '--', 'sh', '-c', write]))
      const nothing = async (): Promise<boolean> =>
        said(await t.coop(['exec', '-n', 'box', '--', 'sh', '-c', LEAKS])) === ''
      t.write('after/.env', VALUE)
      await waitUntil(nothing, 'a secret after a bad .coopignore')
      expect((await t.coop(['run', '--', 'true'])).stderr).toContain('own/.coopignore:1: the pattern has "["')
      t.write('after/one-more.key', VALUE)
      await waitUntil(nothing, 'a secret after a start that was refused')
      // The next daemon covers what happened while there was none.
      const { pid } = JSON.parse((await t.coop(['system', 'status', '--json'])).stdout) as { pid: number }
      process.kill(pid, 'SIGKILL')
      t.write('meanwhile/.env', VALUE)
      t.write('.tmp', VALUE)
      renameSync(at('.tmp'), at('.env'))
      await waitUntil(
        async () => said(await t.coop(['exec', '-n', 'box', '--', 'sh', '-c', LEAKS])) === '',
        'the next daemon',
      )
    },
  )

  test.skipIf(spy.missing)(`a replaced file is readable for milliseconds${spy.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('.env', VALUE)
    t.write('spy', compile(SPY), 0o755)
    await startBox(t)
    const seen = t.startCoop(['exec', '-n', 'box', '--', './spy', '.env'])
    await waitUntil(() => readdirSync(t.workspace).includes('started'), 'the spy')
    for (let i = 0; i < 20; i++) {
      t.write('.tmp', VALUE)
      renameSync(join(t.workspace, '.tmp'), join(t.workspace, '.env'))
      await Bun.sleep(20) // the measurement itself: nothing else tells that a moment went unseen
    }
    // The last one, too, has its end.
    const look = ['exec', '-n', 'box', '--', 'cat', '.env']
    await waitUntil(async () => said(await t.coop(look)) === '', 'the last mask')
    t.write('stop', '')
    const times = said(await seen.finished())
      .trim()
      .split('\n')
      .filter(Boolean)
      .map(Number)
      .toSorted((a, b) => a - b)
    const [median = 0, longest = 0] = [times[times.length >> 1], times.at(-1)]
    console.log(
      `as ${invoker.name}: readable ${times.length} times of 20, median ${median} ms, at most ${longest} ms`,
    )
    expect(longest).toBeLessThan(2000)
    expect(median).toBeLessThan(50)
  })

  test.skipIf(box.missing)(`a .coopignore with a mistake stops the start${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const refused = async (): Promise<string> => (await t.coop(['run', '--', 'true'])).stderr
    t.write('sub/.coopignore', 'good\nconfig.php # passwords\n')
    expect(await refused()).toContain('sub/.coopignore:2: the pattern is followed by a comment')
    rmSync(join(t.workspace, 'sub/.coopignore'))
    mkdirSync(join(t.workspace, 'sub/.coopignore'))
    expect(await refused()).toContain('sub/.coopignore cannot be read')
    rmSync(join(t.workspace, 'sub/.coopignore'), { recursive: true })
    t.write('.coopignore', 'nothing-like-that\n')
    expect(await refused()).toContain('match nothing: .coopignore:1 nothing-like-that')
  })
})

const SPY = `
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>
#include <time.h>
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1e3 + t.tv_nsec / 1e6; }
int main(int argc, char **argv) {
  char bytes[64];
  double first = 0, last = 0;
  close(open("started", O_CREAT | O_WRONLY, 0644));
  while (access("stop", F_OK)) {
    int file = open(argv[1], O_RDONLY);
    int n = file < 0 ? -1 : read(file, bytes, 64);
    if (file >= 0) close(file);
    if (n > 0) { last = now(); if (!first) first = last; }
    else if (n == 0 && first) { printf("%.2f\\n", last - first); first = 0; }
    usleep(20);
  }
  if (first) printf("9999\\n");
}`
