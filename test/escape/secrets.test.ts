/**
 * The caller's environment is full of secrets, and the daemon gets all of it to look up the names in
 * the configuration. A box must have those names and nothing else, in no process, argument or file.
 */
import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { inBox, needed, onTerminal, said } from './support.ts'

const CANARY = `canary${crypto.randomUUID().replaceAll('-', '')}`
const env = {
  SECRET_TOKEN: CANARY,
  AWS_SECRET_ACCESS_KEY: CANARY,
  SSH_AUTH_SOCK: `/tmp/${CANARY}`,
  LD_PRELOAD_64: CANARY,
  LS_COLORS: CANARY,
}
/** Searches for half of the word, so that its own arguments do not match. */
const LOOK = `half=$(printf %s ${CANARY.slice(0, 20)}; printf %s ${CANARY.slice(20)} )
[ "$(env | grep -c "$half")" = 0 ] || echo in the environment
[ "$1" = only ] && exit
for f in /proc/[0-9]*/environ /proc/[0-9]*/cmdline /proc/[0-9]*/comm /proc/[0-9]*/task/*/environ; do
  tr '\\0' '\\n' <"$f" | grep -q "$half" && echo "in $f"
done 2>/dev/null
grep -rls "$half" /etc/hostname /etc/environment "$HOME" /tmp /run /dev/shm /proc/1/mountinfo
printf 'looked at %s\\n' "$(ls -d /proc/[0-9]* 2>/dev/null | wc -l)"`
const CLEAN = /^looked at \d+\r?\n$/

describe.each(invokers)('as $name', (invoker) => {
  const box = needed(invoker)

  test('positive control: a program without a box has the secrets', async () => {
    await using t = await scratch(invoker, { git: false })
    expect((await t.run(['sh', '-c', LOOK, 'sh', 'only'], { env })).stdout).toBe('in the environment\n')
  })

  test.skipIf(box.missing)(
    `run, exec, an agent and its terminal have none of the secrets${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write('look.sh', LOOK)
      const options = { env }
      expect(said(await t.coop(['run', '--', 'sh', './look.sh'], options))).toMatch(CLEAN)
      const agent = 'sh -c "sh ./look.sh >seen 2>&1; mv seen agent-saw; exec sleep infinity"'
      expect(said(await t.coop(['-d', '-n', 'box', '--agent', agent], options))).not.toContain(CANARY)
      expect(said(await t.coop(['exec', '-n', 'box', '--', 'sh', './look.sh'], options))).toMatch(CLEAN)
      const shown = said(
        await t.startCoop(['exec', '-t', '-n', 'box', '--', 'sh', './look.sh'], options).finished(),
      )
      expect(shown).toMatch(/looked at \d+/)
      expect(shown).not.toContain('in /')
      const wait = 'until [ -e agent-saw ]; do :; done; cat agent-saw'
      expect(said(await t.coop(['exec', '-n', 'box', '--', 'sh', '-c', wait], options))).toMatch(CLEAN)
    },
  )

  test.skipIf(box.missing)(
    `the daemon keeps none of the secrets, in its start-up environment or on disk${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      said(await t.coop(['-d', '-n', 'box', '--agent', 'sleep infinity'], { env }))
      const { pid } = JSON.parse((await t.coop(['system', 'status', '--json'])).stdout) as { pid: number }
      expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toContain(CANARY)
      expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).not.toContain(CANARY)
      const found = await t.run(['grep', '-rls', CANARY, t.dataDir, t.runtimeDir, t.cacheDir, t.configDir])
      expect(found.stdout).toBe('')
    },
  )

  test.skipIf(box.missing)(`a configured variable is in its box, and nowhere else${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const run = ['run', '-e', 'SECRET_TOKEN', '--', 'sh', '-c', 'env']
    const there = said(await t.coop(run, { env })).split('\n')
    expect(there.filter((line) => line.includes(CANARY))).toEqual([`SECRET_TOKEN=${CANARY}`])
    // Listings do not show it, and other boxes do not have it.
    said(await t.coop(['-d', '-n', 'box', '-e', 'SECRET_TOKEN', '--agent', 'sleep infinity'], { env }))
    for (const args of [
      ['status', 'box'],
      ['status', 'box', '--json'],
      ['ls'],
      ['ls', '--json'],
      ['system', 'logs'],
    ]) {
      const { code, stdout, stderr } = await t.coop(args)
      expect({ args, code, shown: (stdout + stderr).includes(CANARY) }).toEqual({
        args,
        code: 0,
        shown: false,
      })
    }
    expect(await inBox(t, 'env', [])).not.toContain(CANARY)
  })

  test.skipIf(box.missing)(`init's arguments do not reach into its environment${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    expect(await inBox(t, "tr '\\0' ' ' </proc/1/cmdline; cat /proc/1/environ 2>/dev/null; :")).toMatch(
      /^(coop --daemon ?)?$/,
    )
    expect(await onTerminal(t, ['run', '-t', '--', 'sh', '-c', 'cat /proc/1/environ 2>&1; :'])).toContain(
      'denied',
    )
  })
})
