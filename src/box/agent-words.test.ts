import { expect, test } from 'bun:test'
import { crashedText, endedText, greeting, isShell } from './agent-words.ts'

const facts = {
  name: 'app',
  workspace: '/home/me/app\x1b]0;x\x07',
  agent: { title: 'claude', command: ['claude'] },
  shell: 'bash',
  detachKey: 'ctrl-q',
  plan: { image: 'host', network: 'host' },
} as const
const lines = (text: string): string[] => text.split('\r\n')

test('a greeting names the box, its folder, the agent and the key, and nothing in it acts on a terminal', () => {
  const text = greeting(facts, ['one \x1b[31mwarning', 'another'], false)
  expect(text).toStartWith(
    '[coop: claude runs in the box app, with the folder /home/me/app?]0;x?,\r\n' +
      ' your programs and your network, but not your home, keys and other projects.\r\n' +
      ' Ctrl+Q leaves it running, coop comes back, coop kill ends it.]\r\n',
  )
  expect(text).toContain('[coop: one ?[31mwarning]\r\n[coop: another]\r\n')
  expect(text).not.toContain('\x1b')
})

test('every line begins at the left and fits into 80 columns', () => {
  const long = greeting(facts, [Array.from({ length: 60 }, (_, n) => `word${n}`).join(' ')], true)
  for (const text of [long, endedText(facts, 0), crashedText(facts, 139)])
    for (const line of lines(text.replace(/^.*?\r\n/, ''))) expect(line.length).toBeLessThan(80)
  expect(long.replaceAll(/\r\n */g, ' ')).toContain('word0 word1 word2')
  expect(long.match(/word\d+/g)).toHaveLength(60)
})

test('a shell alone stands in for an agent, a command of its own does not', () => {
  expect(isShell({ agent: { title: 'bash', command: ['bash'] }, shell: 'bash' })).toBe(true)
  expect(isShell({ agent: { title: 'bash', command: ['bash', '-c', 'x'] }, shell: 'bash' })).toBe(false)
  expect(isShell(facts)).toBe(false)
})

test('a greeting says whose programs and which network the box has, and more to a newcomer', () => {
  const other = greeting({ ...facts, plan: { image: 'debian:\x1b12', network: 'none' } }, [], false)
  expect(other).toContain(' the programs of debian:?12, no network, but not your home, keys and other')
  expect(other).not.toContain('first box')
  const first = greeting(facts, ['a warning'], true)
  expect(first).toMatch(
    /a warning\]\r\n\[coop: since this is your first box: coop ls [\s\S]*coop --help [^\r]*\]\r\n$/,
  )
})
