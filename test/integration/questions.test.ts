/** Each question that a program asks its terminal has exactly one answer, whoever is attached. */
import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { coopPath } from '../harness/coop.ts'
import { RawTerminal } from '../harness/raw-terminal.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { type Invoker, ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { box, everyone, needed, output } from './support.ts'

const can = needed(ordinary, 'tmux')

/**
 * A program that asks whenever a file `ask-N` appears, takes everything that is typed until half a second of silence (or SILENCE tenths), and
 * writes that to `answers-N`. `first`: it asks at once.
 */
const ASKER = `
stty raw -echo min 0 time \${SILENCE:-5}
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

/** Has the program ask, by a file that is whole from its first moment. The question is written for printf. */
function pose(t: Scratch, n: number, question: string): void {
  renameSync(t.write(`question-${n}`, question), join(t.workspace, `ask-${n}`))
}

/** Asks, and returns the answers. */
function ask(t: Scratch, n: number, question: string): Promise<string> {
  pose(t, n, question)
  return answers(t, n)
}

async function asker(name?: string, invoker: Invoker = ordinary): Promise<Scratch> {
  const t = await scratch(invoker, { git: false })
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
const TMUX = /^\x1b\[\?1;2c\x1bP>\|tmux [^\x1b]*\x1b\\\x1b\[\d+;1R$/

describe.each(everyone)('as $name', (invoker) => {
  const all = needed(invoker, 'tmux')
  test.skipIf(all.missing)(
    `the terminal answers from the first moment, and the daemon from the last${all.note}`,
    async () => {
      await using t = await asker(`${DA1}${VERSION}${PLACE}`, invoker)
      const terminal = await t.coopTerminal(['-n', 'box', ...AGENT])
      expect(await answers(t, 0)).toMatch(TMUX)
      await terminal.keys('C-]')
      await clients(t, 0)
      expect(await ask(t, 1, `${DA1}${VERSION}`)).toMatch(/^\x1b\[\?62;22c\x1bP>\|coop\([^)]*\)\x1b\\$/)
    },
  )
})

test.skipIf(can.missing)(
  `a program that asks before all else, and waits, gets its answer${can.note}`,
  async () => {
    // As vttest: without the answer it draws nothing. The shell is there in 2 ms, before any client could be.
    const first =
      'stty raw -echo; printf "\\033[c"; IFS= read -r -d "?"; IFS= read -r -d c; printf "\\033[2Jgot <$REPLY>"; exec sleep 1000'
    for (let i = 0; i < 2; i++) {
      await using t = await scratch(ordinary, { git: false })
      t.write('first', first)
      const terminal = await t.coopTerminal(['-n', 'box', '--agent', 'bash first'])
      await terminal.waitFor(/got <1;2>/)
    }
  },
)

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
    output(await t.coop(['-d', '-n', 'box', '-e', 'SILENCE=30', ...AGENT]))
    await box(t)
    const { pid } = JSON.parse(output(await t.coop(['system', 'status', '--json'])))
    process.kill(pid, 'SIGKILL')
    pose(t, 1, DA1)
    await box(t) // starts a daemon
    expect(await answers(t, 1)).toBe('\x1b[?62;22c')
  })
})

/** Its first program asks, and ends when `end` is there, without having read; the second one notes all that it reads. */
const TWO = `
stty raw -echo
if [ -e asked ]; then
  touch again
  stty min 0 time 10
  cat > part
  mv part answers-0
  exec sleep 1000
fi
printf '\\033[c'
touch asked
until [ -e end ]; do sleep 0.02; done
exit 3
`

describe('the answer to a question of a program that has ended', () => {
  const slow = needed(ordinary, 'script')
  async function two(): Promise<Scratch> {
    const t = await scratch(ordinary, { git: false })
    t.write('two', TWO)
    t.write('coop.toml', '[session]\nrestart_delay_ms = 10\n')
    return t
  }
  const asked = (t: Scratch): Promise<unknown> =>
    waitUntil(() => existsSync(join(t.workspace, 'asked')), 'the question')

  test.skipIf(slow.missing)(`is not left for the next one in its terminal${slow.note}`, async () => {
    await using t = await two()
    output(await t.coop(['-d', '-n', 'box', '--agent', 'sh two']))
    await asked(t)
    output(await t.coop(['screen', 'box'])) // the daemon has read the question, and answered it at once
    t.write('end', '')
    expect(await answers(t, 0)).toBe('')
  })

  test.skipIf(slow.missing)(
    `does not reach the next one when a client sends it late${slow.note}`,
    async () => {
      await using t = await two()
      await using terminal = new RawTerminal(t, `${coopPath()} -n box --agent 'sh two'`)
      await terminal.shows('\x1b[c')
      await clients(t, 1)
      t.write('end', '')
      await terminal.shows('\x1b[c', 2) // coop asks a last time, to know when all answers are there
      expect(existsSync(join(t.workspace, 'again'))).toBe(false)
      terminal.type('\x1b[?64;1c\x1b[?64;1c')
      expect(await answers(t, 0)).toBe('')
    },
  )

  test.skipIf(slow.missing)(`is not waited for when the client is killed${slow.note}`, async () => {
    await using t = await two()
    await using terminal = new RawTerminal(t, `${coopPath()} -n box --agent 'sh two'`)
    await terminal.shows('\x1b[c')
    const pid = await waitUntil(async () => (await box(t)).ptys[0]?.clients[0]?.pid, 'the client')
    t.write('end', '')
    await terminal.shows('\x1b[c', 2)
    process.kill(pid, 'SIGKILL')
    expect(await answers(t, 0)).toBe('')
  })
})

describe('an answer that comes late', () => {
  const slow = needed(ordinary, 'script')
  const PATIENT = ['-e', 'SILENCE=40', ...AGENT]

  test.skipIf(slow.missing)(`goes to the program and not to the user's prompt${slow.note}`, async () => {
    await using t = await asker()
    output(await t.coop(['-d', '-n', 'box', ...PATIENT]))
    const prompt = 'IFS= read -r -t 1 rest; printf "REST:%q:" "$rest"'
    t.write('prompt', `${coopPath()} attach box; ${prompt}`)
    await using terminal = new RawTerminal(t, 'bash prompt')
    await clients(t, 1)
    pose(t, 1, DA1)
    await terminal.shows('\x1b[c')
    terminal.type('\x1d')
    await terminal.shows('\x1b[c', 2) // coop asks a last time, to know when all answers are there
    terminal.type('\x1b[?64;1c\x1b[?64;1c')
    await terminal.shows("REST:'':")
    expect(await answers(t, 1)).toBe('\x1b[?64;1c')
  })

  test.skipIf(slow.missing)(`from a program that has ended goes nowhere${slow.note}`, async () => {
    await using t = await asker()
    await t.coop(['system', 'status'])
    t.write('program', "stty -echo; printf '\\033[c'")
    t.write('prompt', `${coopPath()} run -t -- sh program; IFS= read -r -t 1 rest; printf "REST:%q:" "$rest"`)
    await using terminal = new RawTerminal(t, 'bash prompt')
    await terminal.shows('\x1b[c', 2)
    terminal.type('\x1b[?64;1c\x1b[?64;1c')
    await terminal.shows("REST:'':")
  })

  test.skipIf(slow.missing)(`is given by the daemon when the client is killed${slow.note}`, async () => {
    await using t = await asker()
    output(await t.coop(['-d', '-n', 'box', ...PATIENT]))
    await using terminal = new RawTerminal(t, `${coopPath()} attach box`)
    const pid = await waitUntil(async () => (await box(t)).ptys[0]?.clients[0]?.pid, 'the client')
    pose(t, 1, DA1)
    await terminal.shows('\x1b[c')
    process.kill(pid, 'SIGKILL')
    expect(await answers(t, 1)).toBe('\x1b[?62;22c')
  })
})

test.skipIf(can.missing)(
  `colours that a terminal has told stay when nobody is attached${can.note}`,
  async () => {
    await using t = await asker()
    const asked = '\\033]11;?\\007\\033[c'
    output(await t.coop(['-d', '-n', 'box', ...AGENT]))
    {
      await using terminal = new RawTerminal(t, `${coopPath()} attach box`)
      await clients(t, 1)
      pose(t, 1, asked)
      await terminal.shows('\x1b]11;?\x07')
      terminal.type('\x1b]11;rgb:fdfd/f6f6/e3e3\x07\x1b[?64;1c')
      expect(await answers(t, 1)).toBe('\x1b]11;rgb:fdfd/f6f6/e3e3\x07\x1b[?64;1c')
    }
    await clients(t, 0)
    expect(await ask(t, 2, `${asked}\\033[?996n`)).toBe(
      '\x1b]11;rgb:fdfd/f6f6/e3e3\x07\x1b[?62;22c\x1b[?997;2n',
    )
  },
)

test.skipIf(can.missing)(
  `a program sees the window's size in pixels, also when nobody is attached${can.note}`,
  async () => {
    await using t = await scratch(ordinary, { git: false })
    const look = 'ioctl(STDIN, 0x5413, $b = "\\0" x 8); print "SIZE ", join(" ", unpack("S4", $b)), "\\n"'
    t.write('size', `while read -r line; do perl -e '${look}'; done`)
    const terminal = await t.coopTerminal(['-n', 'box', '--agent', 'sh size'])
    await clients(t, 1)
    await terminal.keys('Enter')
    // tmux has characters of 16 by 32 pixels as long as it has no window itself.
    await terminal.waitFor(/SIZE 24 80 1280 768/)
    await terminal.keys('C-]')
    await clients(t, 0)
    const second = await t.coopTerminal(['attach', '--readonly'], { columns: 100, rows: 30 })
    await second.waitFor(/SIZE 24 80 1280 768/)
    expect((await box(t)).ptys[0]?.size).toEqual({ columns: 80, rows: 24, width: 1280, height: 768 })
  },
)
