/** Coop's own lines in an agent's terminal. Pure. */
import type { NetworkMode } from '../config/config.ts'
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
function say(...sentences: readonly string[]): string {
  const text = sentences
    .map((sentence, at) => wrapped(sentence, at === 0 ? '[coop: '.length : 1))
    .join('\r\n ')
  return `[coop: ${text}]\r\n`
}

/** `indent`: columns in front of the first line; later lines have one. */
function wrapped(sentence: string, indent: number): string {
  const lines = ['']
  for (const word of sentence.split(' ')) {
    const line = lines.at(-1) ?? ''
    if (!line) lines[lines.length - 1] = word
    else if (line.length + word.length >= WIDTH - (lines.length > 1 ? 1 : indent)) lines.push(word)
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

/** What the greeting names beside that. */
export interface BoxFacts extends AgentFacts {
  readonly plan: { readonly image: string; readonly network: NetworkMode }
}

/**
 * What a new box's terminal says before its agent starts: three lines about what the box has and has not, warnings, and
 * for somebody's first box what else there is.
 */
export function greeting(facts: BoxFacts, warnings: readonly string[], isFirst: boolean): string {
  const { name, workspace, agent, detachKey, plan } = facts
  const programs = plan.image === 'host' ? 'your programs' : `the programs of ${plain(plan.image)}`
  const network = plan.network === 'none' ? ', no network' : ' and your network'
  return [
    say(
      `${plain(agent.title)} runs in the box ${name}, with the folder ${plain(workspace)},`,
      `${programs}${network}, but not your home, keys and other projects.`,
      `${keyName(detachKey)} leaves it running, coop comes back, coop kill ends it.`,
    ),
    ...warnings.map((warning) => say(plain(warning))),
    ...(isFirst ? [FIRST_HINT] : []),
  ].join('')
}

const FIRST_HINT = say(
  'since this is your first box: coop ls lists boxes, coop shell opens a shell in one, coop run CMD runs one command ' +
    'in a fresh one, coop init writes settings, coop --help shows the rest.',
)

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
