/** Output of real programs must arrive unchanged: recordings, shortened. */
import { describe, expect, test } from 'bun:test'
import { OutputFilter } from './filter.ts'
import { MAX_CLIPBOARD } from './limits.ts'
import { base64, bytesOf, filtered, rawBytes } from './testing.ts'

/** Real output, by program. */
const REAL = {
  'vim, starting and leaving':
    '\x1b[?1049h\x1b[22;0;0t\x1b[>4;2m\x1b[?1h\x1b=\x1b[?2004h\x1b[?1004h\x1b[1;24r\x1b[?12h\x1b[?12l\x1b[22;2t' +
    '\x1b[22;1t\x1b[27m\x1b[23m\x1b[29m\x1b[m\x1b[H\x1b[2J\x1b[?25l\x1b[6n\x1b[>c\x1b]10;?\x07\x1b]11;?\x07' +
    '\x1bP+q436f\x1b\\\x1bP$q q\x1b\\\x1b[?12$p\x1b[?4m\x1b[38;2;10;20;30m~\x1b[0 q\x1b]2;notes (~) - VIM\x07' +
    '\x1b]112\x07\x1b[2 q\x1b[?2004l\x1b[>4;m\x1b[23;2t\x1b[23;1t\x1b[?1l\x1b>\x1b[?1049l\x1b[23;0;0t',
  tmux:
    '\x1b[?1049h\x1b[22;0;0t\x1b(B\x1b[m\x1b[?1l\x1b>\x1b[H\x1b[2J\x1b[?12l\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l' +
    '\x1b[?1006l\x1b[?1005l\x1b[c\x1b[>c\x1b[>q\x1b]10;?\x1b\\\x1b]11;?\x1b\\\x1b[?2031h\x1b[?996n\x1b[1;23r\x1b[23;1H' +
    '\x1b[K\x1b[30m\x1b[42m[0] 0:sh*\x1b(B\x1b[m\x1b[?7727l' +
    '\x1b[32;1;1;5;5$x\x1b[2;3$z\x1b[5X\x1b[3b\x1b[?69l\x1b[?2026h\x1b[?2026l\x1b]52;c;aGVsbG8=\x07\x1b]104\x07',
  'htop and ncurses':
    '\x1b[?1049h\x1b[22;0;0t\x1b[1;24r\x1b(B\x1b[m\x1b[4l\x1b[?7h\x1b[?1h\x1b=\x1b[?25l\x1b[39;49m\x1b[?1006;1000h' +
    '\x1b)0\x1b[37m\x1b[H\x1b[2J\x1b[3;3H\x0elqk\x0f\x1b[10d\x1b[5G\x1b[1@x\x1b[2P\x1b[L\x1b[M\x1b[S\x1b[T\x1bM' +
    '\x1b]4;1;rgb:80/00/00\x1b\\\x1b[24;1H\x1b[?12l\x1b[?25h\x1b[?1049l\x1b[23;0;0t\r\x1b[?1l\x1b>',
  'an agent with an inline interface':
    '\x1b[?25l\x1b[?2004h\x1b[?1004h\x1b[?2031h\x1b[>1u\x1b[?u\x1b[>4;2m\x1b[>0q\x1b[c\x1b[?2026$p\x1b]0;✳ Working\x07' +
    '\x1b[2K\x1b[1A\x1b[2K\x1b[G\x1b[38;2;215;119;87m╭───╮\x1b[39m\r\n\x1b[1m\x1b[22m\x1b]9;4;3;\x07\x1b]9;4;0;\x07' +
    '\x1b]8;id=a1;https://example.com/a?b=c#d\x07link\x1b]8;;\x07\x1b]52;c;Y29waWVk\x07\x1b]9;Claude needs you\x07' +
    '\x1b]99;i=7:d=0:p=title;Title\x1b\\\x1b]99;i=7:p=body;Body ä\x1b\\\x1b]99;i=7:d=1:a=focus;\x1b\\' +
    '\x1b]777;notify;Title;Body\x07\x07\x1b[<u\x1b[?1004l\x1b[?25h',
  'programs that know kitty':
    '\x1b[=1;1u\x1b[?2048h\x1b[4:3m\x1b[58:2::255:0:0m\x1b[59m\x1b[14t\x1b[16t\x1b[18t\x1b]22;pointer\x1b\\' +
    '\x1b]22;>text\x1b\\\x1b]22;<\x1b\\\x1b[#P\x1b[#Q\x1b_Ga=d,d=A\x1b\\\x1b[?2027h\x1b[?2026$p\x1bP+q544e;5247\x1b\\',
  'shells and editors':
    '\x1b]133;A;aid=1\x07$ \x1b]133;B\x07ls\x1b]133;C;cmdline_url=ls%20-l\x07\x1b]133;D;0\x07\x1b]633;A\x07\x1b]633;D;1\x07' +
    '\x1b[?2004h\x1b[0m\x1b[J\x1b[6n\x1b[5n\x1b7\x1b8\x1b[s\x1b[u\x1bkwindow\x1b\\\x1b[!p\x1b[?4l\x1b[4l\x1b>',
}

describe('what programs write', () => {
  test.each(Object.entries(REAL))('passes unchanged and uncopied: %s', (_, text) => {
    const bytes = bytesOf(text)
    expect(new OutputFilter().push(bytes)).toBe(bytes)
  })

  test('as text of any kind passes unchanged and uncopied', () => {
    for (const text of [
      'plain\r\n\tx\b',
      'äöü «漢字» 🐔 e\u0301',
      '\x07'.repeat(3),
      rawBytes('Latin-1: \xe4\xf6.'),
      '',
    ]) {
      const bytes = typeof text === 'string' ? bytesOf(text) : text
      expect(new OutputFilter().push(bytes)).toBe(bytes)
    }
  })

  test('as images passes, in any pieces', () => {
    const sixel = `\x1bP0;1;0q"1;1;10;10#0;2;0;0;0${'~'.repeat(20_000)}-\r\n\x1b\\`
    const kitty = `\x1b_Ga=T,f=100,i=1,q=2,m=1;${'A'.repeat(20_000)}\x1b\\\x1b_Gm=0;AA==\x1b\\`
    for (const image of [sixel, kitty]) {
      expect(filtered(image)).toBe(image)
      const filter = new OutputFilter()
      const bytes = bytesOf(image)
      const pieces: Uint8Array[] = []
      for (let at = 0; at < bytes.length; at += 7)
        pieces.push(filter.push(bytes.subarray(at, at + 7)).slice())
      expect(Buffer.concat(pieces).toString()).toBe(image)
      expect(filter.held).toBe(0)
    }
  })

  test('to the clipboard passes, up to a size', () => {
    const copy = (length: number) => `\x1b]52;c;${base64('x'.repeat(length))}\x07`
    expect(filtered(copy(700_000))).toBe(copy(700_000))
    expect(filtered(copy(MAX_CLIPBOARD))).toBe('')
  })
})
