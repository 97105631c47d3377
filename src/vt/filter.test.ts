import { describe, expect, test } from 'bun:test'
import { OutputFilter } from './filter.ts'
import { base64, bytesOf, filtered, rawBytes } from './testing.ts'

/** Alone, between texts, and in pieces of one byte: only the text comes through. */
function expectDropped(sequence: string): void {
  expect(filtered(`a${sequence}b`)).toBe('ab')
  const filter = new OutputFilter()
  const pieces = [...bytesOf(`a${sequence}b`)].map((byte) => Buffer.from(filter.push(Uint8Array.of(byte))))
  expect(Buffer.concat(pieces).toString()).toBe('ab')
}

describe('what acts on the host is dropped:', () => {
  test.each([
    ['answerback', '\x05'],
    ['the title typed', '\x1b[21t'],
    ['the icon’s title typed', '\x1b[20t'],
    ['iconify', '\x1b[2t'],
    ['move the window', '\x1b[3;0;0t'],
    ['resize the window', '\x1b[8;50;100t'],
    ['resize by lines', '\x1b[48t'],
    ['print the screen', '\x1b[i'],
    ['send all that follows to the printer', '\x1b[5i'],
    ['the same, private', '\x1b[?5i'],
    ['lock the keyboard', '\x1b[2h'],
    ['VT52, where sequences mean something else', '\x1b[?2l'],
    ['Tektronix, where sequences mean something else', '\x1b[?38h'],
    ['leave for 132 columns', '\x1b[?40h'],
    ['one bad mode among good ones', '\x1b[?25;9001h'],
    ['checksum of what is on the screen', '\x1b[1;1;1;1;1;1*y'],
    ['invoke a macro', '\x1b[1*z'],
    ['8-bit answers', '\x1b[62;0"p\x1b G'],
    ['how other keys are sent', '\x1b[>1;2m\x1b[>2n\x1b[>4;1f'],
    ['UTF-8 off', '\x1b%@'],
    ['programmed keys', '\x1bP0;1|17/636f6f70\x1b\\'],
    ['a macro', '\x1bP1;0;0!z726d\x1b\\'],
    ['through tmux', '\x1bPtmux;\x1b\x1b[21t\x1b\\'],
    ['through tmux, one level more', '\x1bPtmux;\x1b\x1bPtmux;\x1b\x1b\x1b\x1b[21t\x1b\x1b\\\x1b\\'],
    ['a command of kitty', '\x1bP@kitty-cmd{"cmd":"launch"}\x1b\\'],
    ['a setting that is echoed (CVE-2008-2383)', '\x1bP$qrm -rf\x1b\\'],
    ['capabilities that are no hex', '\x1bP+qxyz\x1b\\'],
    ['set a capability', '\x1bP+p436f=38\x1b\\'],
    ['an image from a file', '\x1b_Ga=T,t=f;L2V0Yy9wYXNzd2Q=\x1b\\'],
    ['an image from a file that is deleted', '\x1b_Gt=t,a=T;L3RtcC94\x1b\\'],
    ['an image from shared memory', '\x1b_Ga=q,i=1,t=s;eA==\x1b\\'],
    ['an image from a file, said twice', '\x1b_Gt=d,t=f;L2V0Yw==\x1b\\'],
    ['another program’s APC', '\x1b_title\x1b\\'],
    ['privacy message', '\x1b^x\x1b\\'],
    ['start of string', '\x1bXx\x1b\\'],
    ['the start of a global message of GNU screen', '\x1b!x'],
    ['a folder', '\x1b]7;file:///home/u/evil\x1b\\'],
    ['reading the clipboard', '\x1b]52;c;?\x1b\\'],
    ['reading the clipboard, no kind', '\x1b]52;;?\x07'],
    ['clearing the clipboard', '\x1b]52;c;\x07'],
    ['a clipboard that is no base64', '\x1b]52;c;!!!\x07'],
    ['a clipboard of half a byte', '\x1b]52;c;A\x07'],
    ['a clipboard that ends a bracketed paste', `\x1b]52;c;${base64('x\x1b[201~rm -rf ~\n')}\x07`],
    ['a clipboard with 8-bit controls', `\x1b]52;c;${base64('x\u009b201~')}\x07`],
    ['the font, which was echoed (CVE-2022-45063)', '\x1b]50;?\x07'],
    ['Emacs Lisp', '\x1b]51;Eeval\x07'],
    ['a command of GNU screen', '\x1b]83;exec sh\x07'],
    ['files of iTerm2', '\x1b]1337;File=name=eA==:AAAA\x07'],
    ['other types of clipboard', '\x1b]5522;type=read;Lg==\x1b\\'],
    ['sized text', '\x1b]66;s=2;x\x07'],
    ['the log file', '\x1b]46;/home/u/.bashrc\x07'],
    ['a command of ConEmu', '\x1b]9;7;"cmd"\x07'],
    ['a folder of ConEmu', '\x1b]9;9;/x\x07'],
    ['a colour that is none', '\x1b]11;$(reboot)\x07'],
    ['a notification that answers', '\x1b]99;i=x:a=report;text\x1b\\'],
    ['a notification that answers when closed', '\x1b]99;i=x:c=1;text\x1b\\'],
    ['a question about notifications', '\x1b]99;i=x:p=?;\x1b\\'],
    ['another command of 777', '\x1b]777;precmd\x07'],
    ['a command line to run again', '\x1b]633;E;reboot;nonce\x07'],
    ['a folder of the editor', '\x1b]633;P;Cwd=/x\x07'],
    ['a prompt mark with controls', '\x1b]133;A;\x01\x07'],
    ['the start of a ZMODEM transfer', '\x18'],
    ['an ST alone', '\x1b\\'],
    ['a sequence that nobody knows', '\x1b[1;2&z'],
    ['a sequence with a control inside', '\x1b[2\x001t'],
  ])('%s', (_, sequence) => expectDropped(sequence))

  test('8-bit controls: the characters, and the bytes that are none', () => {
    expect(filtered('a\u009b21tb')).toBe('a21tb')
    expect(filtered('a\u009d0;x\u009cb')).toBe('a0;xb')
    expect(filtered(rawBytes('a\x9b21tb'))).toBe('a\ufffd21tb')
    expect(filtered(rawBytes('\xe0\x82\x9b6n'))).not.toContain('\x9b')
    expect(Buffer.from(new OutputFilter().push(rawBytes('\xc0\x9b'))).includes(0x9b)).toBe(false)
  })

  test('a string that hides a terminator in its text', () => {
    expect(filtered('\x1b]8;;http://x\u009c\u009b21t\x1b\\a')).toBe('\x1b]8;;\x1b\\a')
    expect(filtered('\x1b]0;a\u009c\u009b21t\x07b')).toBe('\x1b]0;a21t\x1b\\b')
  })

  test('a sequence that another one aborts', () => {
    expect(filtered('\x1b]0;x\x1b[21ta\x1b\\b')).toBe('ab')
    expect(filtered('\x1b[\x1b]52;c;?\x07a')).toBe('a')
  })
})

describe('what is shown only in a safe form:', () => {
  test('titles lose their controls and what is too long', () => {
    expect(filtered('\x1b]2;a\x01b\u202ec\x07')).toBe('\x1b]2;abc\x1b\\')
    expect(filtered(`\x1b]0;${'x'.repeat(1000)}\x07`)).toBe(`\x1b]0;${'x'.repeat(256)}\x1b\\`)
    expect(filtered(`\x1b]0;${'🐔'.repeat(300)}\x07`)).toBe(`\x1b]0;${'🐔'.repeat(256)}\x1b\\`)
  })

  test('a link to anything but the web or mail ends the link before it, and its text stays', () => {
    const close = '\x1b]8;;\x1b\\'
    for (const url of [
      'file:///etc/passwd',
      'javascript:1',
      'vscode://x',
      'ssh://h',
      'HTTP',
      '//x',
      'x-man:ls',
    ])
      expect(filtered(`\x1b]8;id=1;${url}\x07text\x1b]8;;\x07`)).toBe(`${close}text\x1b]8;;\x07`)
    expect(filtered('\x1b]8;;http://x\ty\x07')).toBe(close)
  })

  test('notifications lose their controls', () => {
    expect(filtered('\x1b]9;done\nnow\x07')).toBe('\x1b]9;done now\x1b\\')
    expect(filtered('\x1b]9;\x014;1\x07')).toBe('')
    expect(filtered('\x1b]777;notify;a;b\x08c\x07')).toBe('\x1b]777;notify;a;bc\x1b\\')
    expect(filtered('\x1b]99;i=1:d=0;a\tb\x1b\\')).toBe('\x1b]99;i=1:d=0;a b\x1b\\')
  })

  test('an image loses what is no part of it, and ends when it is aborted', () => {
    expect(filtered('\x1bPq#0~\x05\x00~\x1b\\a')).toBe('\x1bPq#0~~\x1b\\a')
    expect(filtered('\x1bPq#0~\x1b[21ta')).toBe('\x1bPq#0~\x1b\\a')
    expect(filtered('\x1bPq#0~')).toBe('\x1bPq#0~\x1b\\')
    expect(filtered('\x1b_Ga=T;AA\u009c\x9bAA\x18a')).toBe('\x1b_Ga=T;AAAA\x1b\\a')
  })
})

describe('what terminals take in different ways gets one form:', () => {
  const cleared = '\x1b[?69l\x1b[r\x1b[H\x1b[2J'
  test.each([
    ['132 columns', '\x1b[?3h', cleared],
    ['80 columns', '\x1b[?3l', cleared],
    ['132 columns among other modes', '\x1b[?25;3h', `${cleared}\x1b[?25h`],
    ['132 columns and a mode that is not allowed', '\x1b[?3;9001h', cleared],
    ['terminfo’s reset', '\x1b[?3;4l', '\x1b[?4l'],
  ])('%s', (_, sequence, form) => {
    expect(filtered(`a${sequence}b`)).toBe(`a${form}b`)
  })
})

describe('chunks', () => {
  test('text does not wait, not even beside a sequence that is not whole', () => {
    const filter = new OutputFilter()
    expect(Buffer.from(filter.push(bytesOf('abc\x1b]0;ti'))).toString()).toBe('abc')
    expect(Buffer.from(filter.push(bytesOf('tle\x07def'))).toString()).toBe('\x1b]0;title\x07def')
  })

  test('after a flush a new stream begins', () => {
    const filter = new OutputFilter()
    for (const [unfinished, end] of [
      ['a\x1b]0;ti', ''],
      ['a\x1bPq~', '\x1b\\'],
      ['a\x1b[3', ''],
      ['a\xc3', ''],
    ] as const) {
      filter.push(rawBytes(unfinished))
      expect(Buffer.from(filter.flush()).toString()).toBe(end)
      expect(filter.held).toBe(0)
      expect(Buffer.from(filter.push(bytesOf('1mb'))).toString()).toBe('1mb')
    }
  })

  test('the given array is given back, or a part of it, and is not changed', () => {
    const bytes = bytesOf('a\x1b[21tb\x1b[')
    const before = bytes.slice()
    new OutputFilter().push(bytes)
    expect(bytes).toEqual(before)
  })
})

describe('queries', () => {
  const asked = [
    ...[
      '\x1b[c',
      '\x1b[>c',
      '\x1b[=c',
      '\x1b[6n',
      '\x1b[5n',
      '\x1b[?6n',
      '\x1b[?996n',
      '\x1b[>q',
      '\x1b[?u',
      '\x1b[?4m',
    ],
    ...[
      '\x1b[?2026$p',
      '\x1b[4$p',
      '\x1b[14t',
      '\x1b[18t',
      '\x1b]4;1;?\x07',
      '\x1b]11;?\x1b\\',
      '\x1b]22;?a\x07',
    ],
    ...['\x1bP$qm\x1b\\', '\x1bP+q436f\x1b\\', '\x1b[?1;1;0S', '\x1b_Ga=q,i=1;AAAA\x1b\\'],
  ]
  const plain =
    '\x1b[31m\x1b[22;0;0t\x1b]0;what?\x07\x1b]8;;http://x/?y=?\x07\x1b]11;#fff\x07\x1b[?25h\x1b]9;why?\x07'

  test.each(asked)('%j is answered, and left out of what is shown again', (sequence) => {
    expect(filtered(sequence)).toBe(sequence)
    expect(filtered(`a${sequence}b`, { queries: false })).toBe('ab')
  })

  test('what is not answered stays', () => {
    expect(filtered(plain, { queries: false })).toBe(plain)
  })

  test('images stay, without an answer', () => {
    expect(filtered('\x1b_Ga=T,q=1,i=1;AAAA\x1b\\', { queries: false })).toBe('\x1b_Ga=T,i=1,q=2;AAAA\x1b\\')
    expect(filtered('\x1b_Ga=T;AAAA\x1b\\', { queries: false })).toBe('\x1b_Ga=T;AAAA\x1b\\')
  })
})
