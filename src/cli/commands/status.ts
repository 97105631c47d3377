/** `coop status`: shows everything about one box. */

import { LOGIN_FOLDER } from '../../agents/adapter.ts'
import { ask } from '../../client/ask.ts'
import { userPaths } from '../../client/user-paths.ts'
import type { BoxInfo, BoxStatus } from '../../protocol/calls/boxes.ts'
import { BOX_ARGUMENT, command, JSON_OPTION } from '../common/declare.ts'
import {
  age,
  bytes,
  counted,
  details,
  dollarsText,
  paint,
  print,
  printable,
  printJson,
  table,
} from '../common/output.ts'
import { findAnyBox } from '../common/target.ts'

function idsText(ids: BoxStatus['ids']): string {
  const lines = ids.uids.map(({ inside, outside, count }) =>
    count === 1
      ? `${inside} is ${outside} outside`
      : `${inside} to ${inside + count - 1} are ${outside} and up outside`,
  )
  return `${ids.kind === 'single' ? 'a single one' : 'a range'}: ${lines.join(', ')}`
}

const FROM = {
  report: 'its own report',
  title: 'its title',
  progress: 'its progress',
  signal: 'its bell or notification',
  silence: 'its silence',
  budget: 'the broker',
} as const

function doingText({ state, since, text, from }: NonNullable<BoxStatus['doing']>): string {
  return `${state} since ${age(since)}, by ${FROM[from]}${text ? `: ${text}` : ''}`
}

function keyText({
  provider,
  key,
  state,
  url,
  budget,
  ...use
}: NonNullable<BoxStatus['broker']>[number]): string {
  const tokens = `${use.input + use.cached + use.written} tokens in, ${use.output} out`
  const about = use.estimated ? `about ${dollarsText(use.cost)}` : dollarsText(use.cost)
  const cost = budget === undefined ? about : `${about} of ${dollarsText(budget)}`
  const from = `${key === 'command' ? 'from a command' : `from ${key}`}${url === undefined ? '' : `, for ${url}`}`
  return `${provider} through the broker (${from}): ${state}; ${counted(use.requests, 'request')}, ${tokens}, ${cost}`
}

function text(status: BoxStatus): string {
  const { confinement } = status
  const guards = [
    'seccomp',
    'no new privileges',
    confinement.landlockScope ? 'Landlock scope' : '',
    confinement.nested ? 'nested namespaces allowed' : '',
    confinement.ptrace ? 'debuggers allowed' : 'no debuggers',
  ].filter(Boolean)
  const login = status.mounts.some(({ target }) => target === `${status.user.home}/${LOGIN_FOLDER}`)
  const rows = [
    ['workspace', status.workspace],
    status.state === 'run'
      ? ['state', 'runs a command of coop run, and is removed when that ends']
      : ['agent', `${status.agent} (${status.state}${status.reason ? `: ${status.reason}` : ''})`],
    ...(status.doing ? [['doing', doingText(status.doing)]] : []),
    [
      'image',
      status.olderBuild
        ? `${status.image} (an older build; coop stop and coop start switch to the new one)`
        : status.image,
    ],
    ['user', `${status.user.name}, home ${status.user.home}`],
    ...(login
      ? [['login', `of ${status.agent}, in this box; all boxes of ${status.agent} share it (coop volume ls)`]]
      : []),
    ...(status.broker ?? []).map((use) => ['key', keyText(use)]),
    ['hostname', status.hostname],
    ['ids', idsText(status.ids)],
    ['network', status.network],
    ['guards', guards.join(', ')],
    ['secrets', secretsText(status)],
    ['limits', `${status.limits.pids} processes and threads, ${status.limits.openFiles} open files in each`],
    ['age', age(status.created)],
    ['memory', status.memory === undefined ? '-' : bytes(status.memory)],
  ]
  const ptys = status.ptys.map((pty) => [
    String(pty.id),
    pty.command.join(' '),
    pty.exitCode === undefined ? pty.state : `${pty.state} (${pty.exitCode})`,
    String(pty.clients.length),
    `${pty.size.columns}x${pty.size.rows}`,
  ])
  const clients = status.ptys.flatMap((pty) =>
    pty.clients.map((client) => [
      String(pty.id),
      client.pid === undefined ? '-' : String(client.pid),
      client.terminal ?? '-',
      client.readonly ? 'read-only' : client.size ? `${client.size.columns}x${client.size.rows}` : '-',
      age(client.since),
    ]),
  )
  const mounts = status.mounts.map((mount) => [mount.source, mount.readonly ? '-->' : '<-->', mount.target])
  const hidden = (status.hidden ?? []).map(({ path, rule }) => [path, rule])
  const environment = Object.entries(status.environment)
  return [
    `${paint('bold', status.name)}\n${details(rows)}`,
    ptys.length ? `\n${table(['PTY', 'COMMAND', 'STATE', 'CLIENTS', 'SIZE'], ptys)}` : '',
    clients.length ? `\n${table(['PTY', 'CLIENT', 'TERMINAL', 'SIZE', 'SINCE'], clients)}` : '',
    `\n${table(['HOST', '', 'BOX'], mounts)}`,
    hidden.length ? `\n${table(['HIDDEN', 'BY'], hidden)}` : '',
    `\n${environment.map(([name, value]) => printable(`${name}=${value}`)).join('\n')}\n`,
    ...[...(status.displaced?.notes ?? []), ...status.notes].map(
      (note) => `\n${paint('yellow', 'note:')} ${printable(note)}\n`,
    ),
  ].join('')
}

const secretsText = ({ hiddenCount, hidden }: BoxStatus): string =>
  `${hiddenCount} hidden by name${hiddenCount && !hidden ? ' (coop status --secrets lists them)' : ''}`

/** Returns the text for a box that this release cannot read. */
function unknownText(box: BoxInfo): string {
  const fix = box.release === undefined ? '' : 'update coop; or '
  const rows = [
    ['workspace', box.workspace || '-'],
    ['state', `unknown: ${box.reason ?? ''}`],
    ['age', age(box.created)],
    ['fix', `${fix}end it: coop kill ${box.name}`],
  ]
  return `${paint('bold', box.name)}\n${details(rows)}`
}

export default command({
  meta: {
    summary: 'show everything about one box',
    description: 'Show everything about one box: ids, network, limits, terminals, mounts, hidden names.',
    examples: ['coop status', 'coop status my-app --json', 'coop status --secrets'],
    group: 'Boxes',
  },
  args: {
    box: BOX_ARGUMENT,
    secrets: {
      type: 'boolean',
      description: 'list the names that the box sees empty, and the rule for each',
    },
    ...JSON_OPTION,
  },
  async run({ args }) {
    const box = await findAnyBox(args.box)
    if (box.state === 'unknown') {
      if (args.json) printJson(box)
      else print(unknownText(box))
      return 0
    }
    const status = await ask(userPaths(), 'box.status', {
      box: box.name,
      cwd: '/',
      secrets: args.secrets === true,
    })
    if (args.json) printJson(status)
    else print(text(status))
    return 0
  },
})
