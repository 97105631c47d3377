/** Coop's own lines in an agent's terminal. Pure. */
import { keyName } from '../core/key-name.ts'
import { CRASH_ENDS, CRASH_WINDOW_MS } from '../terminal/restarts.ts'

/** The parts of a manifest that the lines name. */
export interface AgentFacts {
  readonly name: string
  readonly workspace: string
  readonly agent: { readonly title: string; readonly command: readonly string[] }
  readonly shell: string
  readonly detachKey: string
}

const WIDTH = 78 // columns; most windows are wider, and nothing wraps in the middle of a word

/** Writes sentences as one of coop's remarks, each beginning a line. */
const say = (...sentences: readonly string[]): string =>
  `[coop: ${sentences.map((sentence) => wrapped(sentence)).join('\r\n ')}]\r\n`

function wrapped(sentence: string): string {
  const lines = ['']
  for (const word of sentence.split(' ')) {
    const line = lines.at(-1) ?? ''
    if (!line) lines[lines.length - 1] = word
    else if (line.length + word.length >= WIDTH - '[coop: '.length) lines.push(word)
    else lines[lines.length - 1] = `${line} ${word}`
  }
  return lines.join('\r\n ')
}

const reset = (...modes: readonly number[]): string => modes.map((mode) => `\x1b[?${mode}l`).join('')

/**
 * What a killed program leaves on, switched off: else coop's remark is drawn into its alternate screen, between its
 * margins, in its colours, and the next program starts with its mouse and its keyboard.
 */
const TIDY =
  `${reset(2026, 1047)}\x1b[!p\x1b7\x1b[?69l\x1b[r\x1b8\x1b(B\x0f\x1b[0m\x1b[?7h\x1b[?25h\x1b>` +
  reset(1, 9, 1000, 1002, 1003, 1005, 1006, 1015, 1016, 1004, 2004, 2031, 2048) +
  '\x1b[=0;1u\x1b[<16u\x1b[>4;0m'

/** Nothing of a name or a path acts on the user's terminal. */
const plain = (text: string): string => text.replace(/\p{C}/gu, '?')

/** Whether a shell stands in for an agent: however its user leaves it, that is no crash. */
export const isShell = ({ agent, shell }: Pick<AgentFacts, 'agent' | 'shell'>): boolean =>
  agent.command.length === 1 && agent.command[0] === shell

/** What a new box's terminal says before its agent starts. */
export function greeting(facts: AgentFacts, warnings: readonly string[]): string {
  const { name, workspace, agent, detachKey } = facts
  const key = keyName(detachKey)
  return [
    say(
      `this is the box ${name}. It has the folder ${plain(workspace)},`,
      `but not your home, keys and other projects. ${plain(agent.title)} runs in it.`,
      `${key} leaves it running, coop comes back, coop kill ends it.`,
    ),
    ...warnings.map((warning) => say(plain(warning))),
  ].join('')
}

/** What it says when the agent is not started again. */
export function endedText({ name, agent }: AgentFacts, code: number): string {
  const how = code === 0 ? 'has ended' : `has ended with exit code ${code}`
  return `${TIDY}\r\n${say(
    `${plain(agent.title)} ${how}.`,
    `Start it again: coop restart ${name}. End the box: coop kill ${name}.`,
  )}`
}

export function crashedText({ name, agent, detachKey }: AgentFacts, code: number): string {
  const often = `${CRASH_ENDS} times within ${CRASH_WINDOW_MS / 1000} seconds`
  return `${TIDY}\r\n${say(
    `${plain(agent.title)} has ended ${often}, the last time with exit code ${code}.`,
    `Coop starts it no more by itself. ${keyName(detachKey)} leaves this screen, and then:`,
    `see why:          coop logs ${name}`,
    `look into it:     coop shell ${name}`,
    `start it again:   coop restart ${name}`,
    `end the box:      coop kill ${name}`,
  )}`
}

export const againText = (code: number): string =>
  `${TIDY}\r\n${say(`the agent ended (exit code ${code}); starting it again`)}`

/** Attached clients may not have asked for the restart. */
export const restartedText = (what: 'agent' | 'shell'): string =>
  `${TIDY}\r\n${say(`the ${what} was restarted`)}`
