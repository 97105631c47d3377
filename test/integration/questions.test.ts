/** Each question that a program asks its terminal has exactly one answer, whoever is attached. */
import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { box, needed, output } from './support.ts'

const can = needed(ordinary, 'tmux')

/**
 * A program that asks whenever a file `ask-N` appears, takes everything that is typed until half a second of silence, and
 * writes that to `answers-N`. `first`: it asks at once.
 */
const ASKER = `
stty raw -echo min 0 time 5
n=0
[ -e first ] && printf "$(cat first)" && cat > part && mv part answers-0
while :; do
  n=$((n + 1))
  until [ -e ask-$n ]; do sleep 0.02; done
  printf "$(cat ask-$n)"
  cat > part
  mv part answers-$n
done
`

async function answers(t: Scratch, n: number): Promise<string> {
  const file = join(t.workspace, `answers-${n}`)
  await waitUntil(() => existsSync(file), `the answers to question ${n}`)
  return readFileSync(file, 'latin1')
}

/** Asks; the question is written for printf. */
function ask(t: Scratch, n: number, question: string): Promise<string> {
  t.write(join(t.workspace, `ask-${n}`), question)
  return answers(t, n)
}

async function asker(name?: string): Promise<Scratch> {
  const t = await scratch(ordinary, { git: false })
  t.write('asker', ASKER)
  if (name) t.write('first', name)
  return t
}
const AGENT = ['--agent', 'sh asker']
const clients = (t: Scratch, count: number): Promise<unknown> =>
  waitUntil(async () => (await box(t)).clients === count, `${count} clients`)

const DA1 = '\\033[c'
const VERSION = '\\033[>q'
const PLACE = '\\033[6n'
const TMUX = /^\x1b\[\?1;2c\x1bP>\|tmux [^\x1b]*\x1b\\\x1b\[1;1R$/

describe('a question has exactly one answer', () => {
  test.skipIf(can.missing)(`of the daemon while nobody is attached${can.note}`, async () => {
    await using t = await asker()
    output(await t.coop(['-d', '-n', 'box', ...AGENT]))
    const asked = `${DA1}\\033[>c\\033[?u\\033]11;?\\007\\033P+q544e\\033\\\\\\033[?2026$p\\033[18t`
    expect(await ask(t, 1, asked)).toBe(
      '\x1b[?62;22c\x1b[>0;277;0c\x1b[?0u\x1b]11;rgb:0000/0000/0000\x07' +
        '\x1bP1+r544E=787465726D2D323536636F6C6F72\x1b\\\x1b[?2026;2$y\x1b[8;24;80t',
    )
    // From the screen as it is at the question, and not before or after it.
    expect(await ask(t, 2, `\\033[2J\\033[3;5H${PLACE}xy${PLACE}\\033[>5u\\033[?u`)).toBe(
      '\x1b[3;5R\x1b[3;7R\x1b[?5u',
    )
  })

  test.skipIf(can.missing)(`of the first client, also at the very start${can.note}`, async () => {
    await using t = await asker(`${DA1}${VERSION}${PLACE}`)
    await t.coopTerminal(['-n', 'box', ...AGENT])
    expect(await answers(t, 0)).toMatch(TMUX)
    expect(await ask(t, 1, `${DA1}${VERSION}${PLACE}`)).toMatch(TMUX)
  })

  test.skipIf(can.missing)(`of one of two clients, then of the other${can.note}`, async () => {
    await using t = await asker()
    const one = await t.coopTerminal(['-n', 'box', ...AGENT])
    await clients(t, 1)
    const two = await t.coopTerminal(['attach'])
    await clients(t, 2)
    expect(await ask(t, 1, `${DA1}${VERSION}${PLACE}`)).toMatch(TMUX)
    await one.keys('C-]')
    await clients(t, 1)
    expect(await ask(t, 2, `${DA1}${VERSION}${PLACE}`)).toMatch(TMUX)
    await two.keys('C-]')
    await clients(t, 0)
    expect(await ask(t, 3, `${DA1}${VERSION}`)).toMatch(/^\x1b\[\?62;22c\x1bP>\|coop\([^)]*\)\x1b\\$/)
  })

  test.skipIf(can.missing)(`of the daemon when a client only watches${can.note}`, async () => {
    await using t = await asker()
    output(await t.coop(['-d', '-n', 'box', ...AGENT]))
    await t.coopTerminal(['attach', '--readonly'])
    await clients(t, 1)
    expect(await ask(t, 1, DA1)).toBe('\x1b[?62;22c')
  })

  test.skipIf(can.missing)(`of the client whose window has the terminal's size${can.note}`, async () => {
    await using t = await asker()
    await t.coopTerminal(['-n', 'box', ...AGENT], { columns: 100, rows: 30 })
    await clients(t, 1)
    await t.coopTerminal(['attach'], { columns: 80, rows: 24 })
    await clients(t, 2)
    expect(await ask(t, 1, `${DA1}${VERSION}${PLACE}`)).toMatch(TMUX)
  })

  test.skipIf(can.missing)(`of the next daemon when one is killed${can.note}`, async () => {
    await using t = await asker()
    output(await t.coop(['-d', '-n', 'box', ...AGENT]))
    await box(t)
    const { pid } = JSON.parse(output(await t.coop(['system', 'status', '--json'])))
    process.kill(pid, 'SIGKILL')
    t.write(join(t.workspace, 'ask-1'), DA1)
    await box(t) // starts a daemon
    expect(await answers(t, 1)).toBe('\x1b[?62;22c')
  })
})
