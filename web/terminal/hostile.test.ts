/** What programs of a box may try with links, the clipboard and characters. */
import { expect, test } from 'bun:test'
import { wantedText } from './clipboard.ts'
import { quoted } from './files.ts'
import { webAddress } from './links.ts'
import { shownKeys } from './shown-keys.ts'
import { needsGraphemes } from './widths.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

test('only links to the web are opened', () => {
  expect(webAddress('https://example.org/a?b#c')).toBe('https://example.org/a?b#c')
  expect(webAddress('http://localhost:3000')).toBe('http://localhost:3000/')
  for (const address of [
    ...[
      'javascript:alert(1)',
      'JaVaScRiPt:alert(1)',
      ' javascript:alert(1)',
      'data:text/html,<script>',
      'file:///etc',
    ],
    ...[
      'vbscript:x',
      'blob:https://a/b',
      '//example.org',
      'example.org',
      '',
      'https://user:pass@example.org/',
    ],
    ...['https://bank.example@evil.example/', `https://a/${'x'.repeat(3000)}`],
  ])
    expect([address, webAddress(address)]).toEqual([address, undefined])
})

test('a program puts text on the clipboard, and never asks for it', () => {
  expect(wantedText(`c;${btoa('hi')}`)).toBe('hi')
  expect(wantedText(`;${Buffer.from('grüße').toString('base64')}`)).toBe('grüße')
  for (const payload of ['c;?', 'c;', 'c', '', 'c;***', `c;${btoa('\xff\xfe')}`, `c;${'A'.repeat(2 << 20)}`])
    expect(wantedText(payload)).toBeUndefined()
})

test('a path is one word of a shell', () => {
  expect(quoted('/tmp/paste-1.png')).toBe('/tmp/paste-1.png')
  expect(quoted("/tmp/it's $(here)")).toBe(`'/tmp/it'\\''s $(here)'`)
})

test('typed keys are shown by their signs', () => {
  expect(shownKeys(bytes('ls -la\r'))).toBe('ls -la⏎')
  expect(shownKeys(bytes('\x03\x1b[A\x1bOB\x7f\t\x1b[200~paste\x1b[201~\x1b[1;5C\x1b'))).toBe('^C↑↓⌫⇥paste▯⎋')
  expect(shownKeys(bytes('é日'))).toBe('é日')
  expect([...shownKeys(bytes('x'.repeat(500)))]).toHaveLength(61)
})

test('widths of graphemes are loaded for the characters that need them, also in pieces', () => {
  for (const text of [
    'plain',
    'grüße',
    '日本語 한국어',
    '─│╭╮█▒',
    '“quotes” – … ‹›',
    '✗'.slice(1),
    '\x1b[31m',
    '→ ↑',
  ])
    expect([text, needsGraphemes(bytes(text))]).toEqual([text, false])
  for (const text of ['✅', '👩‍🚀', '⏺', '❤️', 'น้ำ', 'नि', 'ᄀ', '\u200d', '🇩🇪', '⌚', '⭐'])
    expect([text, needsGraphemes(bytes(text))]).toEqual([text, true])
  expect(needsGraphemes(bytes('✅').slice(0, 1))).toBe(true)
  expect(needsGraphemes(bytes('x\ufe0f').slice(0, 2))).toBe(true)
})
