import { describe, expect, test } from 'bun:test'
import { LASTING, lastingEscape, MODES, PRIVATE_MODES } from '../../vt/csi-rules.ts'
import { OutputFilter } from '../../vt/filter.ts'
import { ScreenModes } from './screen-modes.ts'

const SGR = 'm'.charCodeAt(0)
const PLAIN = '\x1b[0m'

/** Returns the bytes of some output that reach the terminal, and the bytes that undo them. */
function passed(...output: (string | Uint8Array)[]): { shown: string; undo: string } {
  const modes = new ScreenModes()
  const filter = new OutputFilter({ witness: modes })
  const shown = output.map((part) =>
    Buffer.from(filter.push(typeof part === 'string' ? Buffer.from(part) : part)).toString('latin1'),
  )
  return { shown: shown.join(''), undo: modes.restore() }
}
const after = (...output: (string | Uint8Array)[]): string => passed(...output).undo

test('a program that set nothing leaves nothing to undo', () => {
  expect(after('hello \x1b[31mred')).toBe(PLAIN)
})

test('what was set is undone, what the program undid itself is not', () => {
  expect(after('\x1b[?2004h\x1b[?1000;1006h\x1b[?25l\x1b[>1u')).toBe(
    `\x1b[<1u\x1b[?2004l\x1b[?1000l\x1b[?1006l\x1b[?25h${PLAIN}`,
  )
  expect(after('\x1b[?1049h\x1b[?25l\x1b[>1u', '\x1b[<u\x1b[?25h\x1b[?1049l')).toBe(PLAIN)
})

test('the keyboard of the alternate screen is given back before that is left', () => {
  expect(after('\x1b[>1u\x1b[?1049h\x1b[>5u\x1b[>7u')).toBe(`\x1b[<2u\x1b[?1049l\x1b[<1u${PLAIN}`)
})

test('what was undone once is not undone again', () => {
  const modes = new ScreenModes()
  new OutputFilter({ witness: modes }).push(Buffer.from('\x1b[>1u\x1b[4h\x1b]17;red\x07\x1b]0;x\x07'))
  expect(modes.restore()).not.toBe(PLAIN)
  expect(modes.restore()).toBe(PLAIN)
})

test('sequences may be split at every byte', () => {
  const output = Buffer.from('x\x1b[?1049hy\x1b[>5uz\x1b[?2004h\x1b]17;red\x07')
  const whole = after(output)
  for (let at = 0; at <= output.length; at++)
    expect(after(output.subarray(0, at), output.subarray(at))).toBe(whole)
})

test('margins, line drawing and colours are undone, when they were set', () => {
  for (const text of ['\x1b[3;10r', '\x1b(0', '\x0e', '\x1b[?6h', '\x1b[?7l', '\x1b[?1;5h'])
    expect(after(text)).toContain('\x1b[!p')
  expect(after('\x1b]4;1;#ff0000;2;?\x07')).toBe(`\x1b]104;1\x07${PLAIN}`)
  expect(after('\x1b]11;?\x07\x1b]4;1;?\x07\x1b[31mred')).toBe(PLAIN)
  expect(after('\x1b]10;?;#ff0000;red\x07')).toBe(`\x1b]111\x07\x1b]112\x07${PLAIN}`)
})

test('the title that was there is kept by the terminal, and comes back', () => {
  const modes = new ScreenModes()
  const filter = new OutputFilter({ witness: modes })
  filter.push(Buffer.from('\x1b]0;one\x07'))
  expect(modes.before()).toBe('\x1b[22;0t')
  filter.push(Buffer.from('\x1b]2;two\x07'))
  expect(modes.before()).toBe('')
  // A terminal that keeps no titles goes back to its own.
  expect(modes.restore()).toBe(`\x1b]0;\x07\x1b]2;\x07\x1b[23;0t${PLAIN}`)
})

test('the cursor stays where it is when margins are reset', () => {
  const kept = '\x1b7\x1b[?69l\x1b[r\x1b8'
  for (const text of ['\x1b[1;24r', '\x1b[?69h', '\x1b[?69h\x1b[2;9s', '\x1b[?1049h\x1b[1;24r']) {
    expect(after(text)).toContain(kept)
    expect(after(text).replaceAll(kept, '')).not.toMatch(/\x1b\[(?:\d*;?\d*[rH]|\?69l)/)
  }
})

/** One mode of each kind that was once left on; tests below walk through more of each kind. */
const LEFT_ON: Readonly<Record<string, readonly [string, string]>> = {
  'insert mode': ['\x1b[4h', '\x1b[4l'],
  'no key repeat': ['\x1b[?8l', '\x1b[?8h'],
  'the wheel as keys': ['\x1b[?1007h', '\x1b[?1007l'],
  protection: ['\x1b[1"q', '\x1b[0"q'],
  'the colour of what is selected': ['\x1b]17;#ff0000\x07', '\x1b]117\x07'],
  'the colour of selected text': ['\x1b]19;#ff0000\x07', '\x1b]119\x07'],
  'the shape of the pointer': ['\x1b]22;wait\x07', '\x1b]22;\x1b\\'],
  'shapes of the pointer, put on each other': ['\x1b]22;>wait,text\x07', '\x1b]22;<\x1b\\\x1b]22;<\x1b\\'],
  'a link without an end': ['\x1b]8;;https://example.com\x07', '\x1b]8;;\x1b\\'],
  'progress on the task bar': ['\x1b]9;4;1;50\x07', '\x1b]9;4;0\x1b\\'],
  "a prompt's mark": ['\x1b]133;A\x07', '\x1b]133;C\x1b\\'],
  'output held back': ['\x1bP=1s\x1b\\', '\x1bP=2s\x1b\\'],
  'the cursor of GNU screen': ['\x1b[34l', '\x1b[34h'],
  'blinking underline, without a number': ['\x1b[ q', '\x1b[0 q'],
  'a second character set': ['\x1b)0', '\x1b)B'],
  'titles on the stack': ['\x1b[22;0t\x1b[22;0t', '\x1b[23;0t\x1b[23;0t'],
  'double lines': ['\x1b#6', '\x1b#5'],
  'tab stops': ['\x1b[3g', '\x1b[8C\x1bH'],
}
test.each(Object.keys(LEFT_ON))('%s is undone', (name) => {
  const [set, undo] = LEFT_ON[name] ?? ['', '']
  expect(passed(set)).toMatchObject({ shown: set, undo: expect.stringContaining(undo) })
})

test('Alt as Esc is not let through: nobody knows what to go back to', () => {
  for (const mode of [13, 14, 30, 44, 1010, 1011, 1034, 1036, 1039, 1042, 1043, 1044])
    for (const final of 'hl') expect(passed(`\x1b[?${mode}${final}`).shown).toBe('')
  for (const text of ['\x1b[?1000s', '\x1b[?1000r', '\x1b[2*x', '\x1b%G']) expect(passed(text).shown).toBe('')
})

/** Returns a terminal's modes after some output: the current value of each, by name. */
function apply(text: string): Map<string, string> {
  const state = new Map<string, string>()
  for (const [, prefix, list = '', final = ''] of text.matchAll(/\x1b\[(\??)([\d;]+)([hl])/g))
    for (const number of list.split(';')) state.set(`${prefix}${number}`, final)
  return state
}

describe('every mode that reaches the terminal', () => {
  const highest = 10_000
  test.each(['', '?'])('of the kind "%s" is afterwards what it usually is', (prefix) => {
    const known = prefix ? PRIVATE_MODES : MODES
    const through: number[] = []
    for (let mode = 0; mode <= highest; mode++)
      for (const final of 'hl') {
        const { shown, undo } = passed(`\x1b[${prefix}${mode}${final}`)
        if (!apply(shown).has(`${prefix}${mode}`)) continue
        through.push(mode)
        const now = apply(shown + undo).get(`${prefix}${mode}`)
        // Modes that nobody can set may be reset without effect. The saved cursor is no mode.
        const usual = known.get(mode) ?? (mode === 1048 ? final : 'l')
        expect({ mode, final, now }).toEqual({ mode, final, now: usual })
      }
    for (const mode of known.keys()) expect(through).toContain(mode) // the walk has seen every mode
  })
})

/** Yields everything that the grammar of CSI and ESC allows: a prefix, up to two intermediates, a final. */
function* sequences(): Generator<{ head: string; tail: string }> {
  const marks = ['', ...Array.from({ length: 16 }, (_, i) => String.fromCharCode(0x20 + i))]
  for (const mark of marks) {
    for (let final = 0x30; final <= 0x7e; final++)
      yield { head: '\x1b', tail: mark + String.fromCharCode(final) }
    for (const prefix of ['', '<', '=', '>', '?'])
      for (let final = 0x40; final <= 0x7e; final++)
        yield { head: `\x1b[${prefix}`, tail: mark + String.fromCharCode(final) }
  }
}

/**
 * Returns a sequence's key when the filter's tables say that its effect lasts, and the bytes that undo it after
 * `before`.
 */
function traceOf(before: string, text: string): { key: number | undefined; undo: string } {
  const modes = new ScreenModes()
  let key: number | undefined
  const filter = new OutputFilter({
    witness: {
      sequence: (sequence) => {
        modes.sequence(sequence)
        key = (sequence.kind === 'csi' ? LASTING.has(sequence.key) : lastingEscape(sequence))
          ? sequence.key
          : undefined
      },
      shift: () => {},
    },
  })
  filter.push(Buffer.from(before))
  key = undefined
  filter.push(Buffer.from(text))
  return { key, undo: modes.restore() }
}

test('every sequence whose effect lasts is undone for some parameters', () => {
  const parameters = ['', '0', '1', '2', '3', '4', '22', '4;2', '3;10', '25', '34']
  const seen = new Set<number>()
  for (const { head, tail } of sequences()) {
    const texts = (head === '\x1b' ? [''] : parameters).map((text) => `${head}${text}${tail}`)
    const lasting = texts.filter((text) => {
      const { key } = traceOf('', text)
      if (key !== undefined) seen.add(key)
      return key !== undefined && key !== SGR // SGR is always undone
    })
    if (!lasting.length) continue
    const isUndone = ['', '\x1b[>1u\x1b[22t\x1b[#{\x1b[#P'].some((before) => {
      const { undo } = traceOf(before, '')
      return lasting.some((text) => traceOf(before, text).undo !== undo)
    })
    const isUsual = /^\x1b(?:[()*+]B|#5|>|})$/.test(`${head}${tail}`)
    expect({ sequence: `${head}${tail}`, isUndone: isUndone || isUsual }).toMatchObject({ isUndone: true })
  }
  for (const key of LASTING) expect(seen).toContain(key)
})
