/** `coop screen`, and `coop logs` of programs that draw or that wait within a line. */
import { describe, expect, test } from 'bun:test'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { expectRefusal, needed, output, startBox } from './support.ts'

/** Overwrites one screen by another, so that its output as lines is no picture. */
const PICTURE = String.raw`\033]2;my title\007\033[?1049h\033[Hold\033[2J\033[H\033[31mtop\033[m\033[5;3Hlow`

describe.each(invokers)('as $name', (invoker) => {
  const can = needed(invoker)

  test.skipIf(can.missing)(`the screen of an agent that nobody looks at${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t, { agent: `sh -c 'printf "${PICTURE}"; exec sleep 1000'` })
    const text = await waitUntil(async () => {
      const { stdout } = await t.coop(['screen'])
      return /low/.test(stdout) && stdout
    }, 'the picture')
    expect(text).toBe('top\n\n\n\n  low\n')
    expect(output(await t.coop(['screen', 'box', '--ansi']))).toBe('\x1b[0;31mtop\x1b[m\n\n\n\n  low\n')
    const json = JSON.parse(output(await t.coop(['screen', '--json'])))
    expect(json).toMatchObject({
      box: 'box',
      columns: 80,
      rows: 24,
      cursor: { column: 5, row: 4, visible: true },
      title: 'my title',
      alternate: true,
    })
    expect(json.lines).toHaveLength(24)

    const logs = await t.coop(['logs'])
    expect(logs.stderr).toMatch(/draws on the whole screen.*: coop screen box\n/)
    output(await t.coop(['stop']))
    expectRefusal(await t.coop(['screen']), { code: 1, sentence: /is stopped/, hint: /coop logs box/ })
  })

  test.skipIf(can.missing)(
    `what a program says cannot act on the terminal, nor on the reader${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const hostile = String.raw`a\302\233\342\200\256b\033]52;c;eA==\007\033]8;;http://x\007c\033]8;;\007`
      await startBox(t, { agent: `sh -c 'printf "${hostile} end"; exec sleep 1000'` })
      await waitUntil(async () => /end/.test((await t.coop(['screen'])).stdout), 'the text')
      for (const flags of [[], ['--ansi']])
        expect(output(await t.coop(['screen', ...flags]))).toBe('abc end\n')
    },
  )

  test.skipIf(can.missing)(`logs -f shows a question that has no end of line${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const asks = 'echo begins; printf "Overwrite? [y/N] "; read answer; echo got it; exec sleep 1000'
    await startBox(t, { agent: `sh -c '${asks}'` })
    const logs = t.startCoop(['logs', '-f'])
    await logs.waitFor(/^begins\nOverwrite\? \[y\/N\] $/)
    const plain = await t.coop(['logs'])
    expect(plain.stderr).toBe('')
  })
})
