/** Sequences that attack the user who looks at a box, and a terminal to look with. */
import type { Scratch } from '../harness/sandbox.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** Sequences that must not arrive, by their effect. */
export const ATTACKS: Readonly<Record<string, string>> = {
  'types the answerback': '\x05',
  'types the title': '\x1b[21t',
  'types the title of the icon': '\x1b[20t',
  'types the title, hidden in another sequence': '\x1b]0;x\x1b[21t',
  'types the title, by an 8-bit control': '\u009b21t',
  'reads the clipboard': '\x1b]52;c;?\x07',
  'reads the clipboard, any type': '\x1b]5522;type=read;Lg==\x1b\\',
  'puts a paste there that ends its own bracket': `\x1b]52;c;${base64('a\x1b[201~reboot\n')}\x07`,
  'types the name of a font (CVE-2022-45063)': '\x1b]50;i$(reboot)\x07\x1b]50;?\x07',
  'types a setting that it made up (CVE-2008-2383)': '\x1bP$q\nreboot\n\x1b\\',
  'types what is on the screen': '\x1b[1;1;1;1;9;9*y',
  'types a text when it is clicked': '\x1b]99;i=reboot:a=report;click me\x1b\\',
  'programs keys': '\x1bP0;0|17/7265626f6f740a\x1b\\',
  'records a macro and runs it': '\x1bP1;0;1!z1b5b32317400\x1b\\\x1b[1*z',
  'goes through tmux': '\x1bPtmux;\x1b\x1b[21t\x1b\\',
  'goes through two of them': '\x1bPtmux;\x1b\x1bPtmux;\x1b\x1b\x1b\x1b[21t\x1b\x1b\\\x1b\\',
  'goes through GNU screen': '\x1bP\x1b[21t\x1b\\',
  'commands GNU screen': '\x1b]83;exec reboot\x07',
  'commands kitty': '\x1bP@kitty-cmd{"cmd":"launch","version":[0,14,2]}\x1b\\',
  'commands ConEmu': '\x1b]9;7;"reboot"\x07',
  'evaluates Emacs Lisp': '\x1b]51;Eshell-command reboot\x07',
  'starts a download': '\x18B00000000000000',
  'saves a file': '\x1b]1337;File=name=eA==;size=1:eA==\x07',
  'shows a file of the host': '\x1b_Ga=T,f=100,t=f;L2V0Yy9wYXNzd2Q=\x1b\\',
  'deletes a file of the host': '\x1b_Ga=T,f=100,t=t;L3RtcC90dHktZ3JhcGhpY3M=\x1b\\',
  'writes the log': '\x1b]46;/root/.bashrc\x07',
  'opens the next shell elsewhere': '\x1b]7;file:///tmp/evil\x07',
  'opens a file of the host': '\x1b]8;;file:///etc/passwd\x07',
  'opens a program of the host': '\x1b]8;;vscode://evil/x\x07',
  'offers a command to run again': '\x1b]633;E;reboot\x07',
  prints: '\x1b[5i',
  'moves the window away': '\x1b[3;9999;9999t',
  'makes it tiny': '\x1b[8;1;1t',
  'locks the keyboard': '\x1b[2h',
  'has bytes mean something else (VT52)': '\x1b[?2l',
  'has bytes mean something else (Tektronix)': '\x1b[?38h',
  'has bytes mean something else (no UTF-8)': '\x1b%@',
}
export const NAMES = Object.keys(ATTACKS)
/** Text beside each, which shows the remains of the sequence. */
export const PROGRAM = `${NAMES.map((name, index) => `<${index}>${ATTACKS[name]}</${index}>`).join('\n')}\n`
/** The part of an attack that is plain text once the sequence is broken. */
const LEFT_AS_TEXT = /^(?:21t|B0+|\x1b\]8;;\x1b\\)?$/

/** The bytes that a command writes to a terminal of its own, from its start to `end`. */
export async function onScreen(t: Scratch, command: string, end: RegExp): Promise<string> {
  await t.coop(['system', 'status']) // starts nothing; makes the scratch end the daemon
  const terminal = t.start(['script', '-qefc', command, '/dev/null'])
  await terminal.waitFor(end)
  return terminal.stdout
}

/** Attacks found in the bytes of a terminal. */
export function arrived(shown: string): string[] {
  return NAMES.filter((_, index) => {
    const [, between] = shown.split(new RegExp(`<${index}>|</${index}>`))
    return between === undefined || !LEFT_AS_TEXT.test(between)
  })
}
