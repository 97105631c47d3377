/** Prints docs/terminal-questions.md from the rules by which the daemon and its clients answer. */
import { RULES, WHO } from '../../src/answers/rules.ts'
import { GENERATED } from './generated.ts'

const cell = (text: string): string => text.replaceAll('|', '\\|')

export function questionsPage(): string {
  const rows = RULES.map((rule) => {
    const none = rule.answer || rule.fromState ? `the daemon: ${rule.says}` : `nobody: ${rule.says}`
    const cells = [rule.name, rule.form, none, WHO[rule.attached].one, WHO[rule.attached].more]
    return `| ${cells.map(cell).join(' | ')} |`
  })
  const lines = [
    '# Questions to the terminal',
    '',
    GENERATED,
    '',
    'Programs ask their terminal what it is, what it can do, and what state it is in. The answer is typed into the program, so a',
    'question that two terminals answer leaves text at a prompt, and one that nobody answers leaves abilities unused. In a box',
    'each question has one answer at most:',
    '',
    '- **While a client is attached**, from its terminal. With several clients it is one of them: the first that came, is not',
    "  `--readonly`, and has a window of the terminal's size. The other clients remove the questions from what they show.",
    '- **While nobody is attached**, or nobody who can answer, from the daemon, which keeps the screen and the modes of every',
    '  terminal. It states abilities that all terminals of today have, so that a program does not count on one that a terminal lacks',
    '  to which you attach later.',
    '- **When a client leaves**, it first waits for the answers that its terminal still owes (a second at most), so that they are not',
    '  typed at your prompt. The daemon gives those that did not come, as it does for a client that was killed.',
    '- **When `coop` starts an agent and attaches at once**, the first questions wait for that client.',
    '- **When an agent ends and starts again in its terminal**, coop first waits for the answers that a client still owes the one',
    '  that has ended (three seconds at most), and drops them with all else that was typed and not read.',
    '',
    'A terminal that does not know a question does not answer it, as without coop. A program that asks while 256 questions are open,',
    'or does not read what it is told, gets no more answers. Colours that your terminal has told are kept in `terminal.json` of the',
    'data folder, for agents that start in the background.',
    '',
    '| question | form | nobody attached | one client | two or more |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    'Answers consist of numbers, fixed words, and hexadecimal digits of names that coop knows. Nothing that a program chose is sent',
    'back to it as text.',
  ]
  return `${lines.join('\n')}\n`
}
