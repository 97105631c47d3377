/** `coop status`: everything about one box. */

import { ask } from '../client/ask.ts'
import { userPaths } from '../client/user-paths.ts'
import type { BoxInfo } from '../protocol/server-messages.ts'
import type { IdPlan } from '../sandbox/ids.ts'
import type { Command } from './command.ts'
import { age, bytes, paint, print, printable, printJson, table } from './output.ts'
import { findAnyBox } from './target.ts'

interface Status extends BoxInfo {
  readonly hostname: string
  readonly user: { readonly name: string; readonly home: string }
  readonly ids: IdPlan
  readonly network: string
  readonly limits: Readonly<Record<string, number>>
  readonly confinement: {
    readonly nested: boolean
    readonly ptrace: boolean
    readonly landlockScope: boolean
  }
  readonly mounts: readonly { readonly source: string; readonly target: string; readonly readonly: boolean }[]
  readonly environment: Readonly<Record<string, string>>
  readonly notes: readonly string[]
}

function idsText(ids: IdPlan): string {
  const lines = ids.uids.map(({ inside, outside, count }) => `${inside}+${count} -> ${outside}`)
  return `${ids.kind} (${lines.join(', ')})`
}

function text(status: Status): string {
  const { confinement } = status
  const guards = [
    'seccomp',
    'no new privileges',
    confinement.landlockScope ? 'Landlock scope' : '',
    confinement.nested ? 'nested namespaces allowed' : '',
    confinement.ptrace ? 'debuggers allowed' : 'no debuggers',
  ].filter(Boolean)
  const rows = [
    ['workspace', status.workspace],
    ['agent', `${status.agent} (${status.state}${status.reason ? `: ${status.reason}` : ''})`],
    ...(status.waiting
      ? [
          [
            'waiting',
            `since ${age(status.waiting.since)}${status.waiting.text ? `: ${status.waiting.text}` : ''}`,
          ],
        ]
      : []),
    [
      'image',
      status.olderBuild
        ? `${status.image} (an older build; coop stop and coop start go over to the new one)`
        : status.image,
    ],
    ['user', `${status.user.name}, home ${status.user.home}`],
    ['hostname', status.hostname],
    ['ids', idsText(status.ids)],
    ['network', status.network],
    ['guards', guards.join(', ')],
    [
      'limits',
      Object.entries(status.limits)
        .map(([name, value]) => `${name} ${value}`)
        .join(', '),
    ],
    ['age', age(status.created)],
    ['memory', status.memory === undefined ? '-' : bytes(status.memory)],
  ]
  const lines = rows.map(
    ([name, value]) => `${paint('bold', (name ?? '').padEnd(10))}${printable(value ?? '')}`,
  )
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
      String(client.pid),
      client.terminal ?? '-',
      client.readonly ? 'read-only' : client.size ? `${client.size.columns}x${client.size.rows}` : '-',
      age(client.since),
    ]),
  )
  const mounts = status.mounts.map((mount) => [mount.source, mount.readonly ? '-->' : '<-->', mount.target])
  const environment = Object.entries(status.environment)
  return [
    `${paint('bold', status.name)}\n${lines.join('\n')}\n`,
    ptys.length ? `\n${table(['PTY', 'COMMAND', 'STATE', 'CLIENTS', 'SIZE'], ptys)}` : '',
    clients.length ? `\n${table(['PTY', 'CLIENT', 'TERMINAL', 'SIZE', 'SINCE'], clients)}` : '',
    `\n${table(['HOST', '', 'BOX'], mounts)}`,
    `\n${environment.map(([name, value]) => printable(`${name}=${value}`)).join('\n')}\n`,
    ...status.notes.map((note) => `\n${paint('yellow', 'note:')} ${printable(note)}\n`),
  ].join('')
}

/** Of a box that this release cannot read. */
function unknownText(box: BoxInfo): string {
  const fix = box.release === undefined ? '' : 'update coop; or '
  const rows = [
    ['workspace', box.workspace || '-'],
    ['state', `unknown: ${box.reason ?? ''}`],
    ['age', age(box.created)],
    ['fix', `${fix}end it: coop kill ${box.name}`],
  ]
  const lines = rows.map(
    ([name, value]) => `${paint('bold', (name ?? '').padEnd(10))}${printable(value ?? '')}`,
  )
  return `${paint('bold', box.name)}\n${lines.join('\n')}\n`
}

const command: Command = {
  usage: '[BOX]',
  about: 'Show everything about one box: ids, network, limits, terminals, mounts. Secrets are hidden.',
  examples: ['coop status', 'coop status my-app --json'],
  options: { json: { type: 'boolean', about: 'machine-readable output' } },
  maxArguments: 1,
  async run(args) {
    const box = await findAnyBox(args.positionals[0])
    if (box.state === 'unknown') {
      if (args.flag('json')) printJson(box)
      else print(unknownText(box))
      return 0
    }
    const status = await ask<Status>(userPaths(), { do: 'box.status', name: box.name })
    if (args.flag('json')) printJson(status)
    else print(text(status))
    return 0
  },
}

export default command
