/**
 * Escape sequences that attack the user who looks at a box. A terminal does more than show text: it types its
 * title or its clipboard, reads files for images, runs macros, passes sequences on to the terminal behind it. Programs
 * in real boxes print each attack, and the test reads the bytes that `coop` writes to a real terminal. The control is the
 * same file shown by `cat` on such a terminal. src/vt/ explains every sequence.
 */
import { describe, expect, test } from 'bun:test'
import { coopPath } from '../harness/coop.ts'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { needed, startBox } from './support.ts'
import { ATTACKS, arrived, NAMES, onScreen, PROGRAM } from './viewer-attacks.ts'

const HARMLESS =
  '\x1b[1;31mred\x1b[0m \x1b]8;;https://example.com\x07link\x1b]8;;\x07 \x1b]0;title\x07 \x1b[c漢字'

describe.each(invokers)('as $name', (invoker) => {
  const can = needed(invoker, 'script')

  test.skipIf(can.missing)(`every attack arrives on a terminal without coop${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('attacks', PROGRAM)
    const shown = await onScreen(t, `cat attacks; echo end''ed`, /ended/)
    expect(arrived(shown)).toEqual(NAMES)
    for (const attack of Object.values(ATTACKS)) expect(shown).toContain(attack.replaceAll('\n', '\r\n'))
  })

  test.skipIf(can.missing)(`no attack arrives from coop run, also byte by byte${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    t.write('attacks', PROGRAM)
    for (const show of ['cat attacks', 'dd if=attacks bs=1 status=none']) {
      const shown = await onScreen(t, `${coopPath()} run -t -- sh -c "${show}; echo end''ed"`, /ended/)
      expect(arrived(shown)).toEqual([])
    }
  })

  test.skipIf(can.missing)(`no attack arrives from coop attach, at once and later${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('attacks', PROGRAM)
    t.write(
      'agent.sh',
      "cat attacks\necho fir''st\nread -r line\ncat attacks\necho sec''ond\nexec sleep infinity\n",
    )
    await startBox(t, 'box', 'sh agent.sh')
    const terminal = t.start(['script', '-qefc', `${coopPath()} attach box`, '/dev/null'])
    await terminal.waitFor(/first/)
    terminal.write('\r')
    await terminal.waitFor(/second/)
    const [first = '', second = ''] = terminal.stdout.split('first')
    expect(arrived(first)).toEqual([])
    expect(arrived(second)).toEqual([])
  })

  test.skipIf(can.missing)(`an unfinished sequence does not reach the shell${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    t.write('title', 'a\x1b]0;unfinished')
    t.write('image', 'b\x1bPq#0~~')
    const run = (file: string) => `${coopPath()} run -t -- cat ${file}`
    const shown = await onScreen(t, `${run('title')}; ${run('image')}; echo end''ed`, /ended/)
    expect(shown).not.toContain('\x1b]')
    expect(shown).toMatch(/b\x1bPq#0~~\x1b\\[\s\S]*ended/)
  })

  test.skipIf(can.missing)(`sequences that programs need arrive unchanged${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    t.write('fine', HARMLESS)
    const shown = await onScreen(t, `${coopPath()} run -t -- sh -c "cat fine; echo end''ed"`, /ended/)
    expect(shown).toContain(HARMLESS)
  })
})
