/** Everything about one box, as `coop status` shows it. */
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'
import type { BoxStatus } from '../../src/protocol/calls/boxes.ts'
import { boxName, connection, notifyError } from '../app.ts'
import { closeDialog, Dialog } from '../ui/dialog.tsx'
import { age, bytes, stateWords } from './order.ts'

function Row({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  )
}

export function StatusDialog() {
  const status = useSignal<BoxStatus | undefined>(undefined)
  const name = boxName.value
  useEffect(() => {
    if (name === undefined) return closeDialog()
    connection.value?.call('box.status', { box: name, cwd: '' }).then(
      (found) => {
        status.value = found
      },
      (error) => {
        closeDialog()
        notifyError(error)
      },
    )
  }, [name])
  const it = status.value
  return (
    <Dialog title={name ?? ''} wide>
      <div class="dialog-body">{it ? <Facts it={it} /> : <p class="quiet">Loading…</p>}</div>
    </Dialog>
  )
}

function Facts({ it }: { it: BoxStatus }) {
  const clients = it.ptys.flatMap(({ id, clients }) => clients.map((client) => ({ id, ...client })))
  return (
    <>
      <dl class="facts">
        <Row name="State">
          {stateWords(it).word}
          {it.reason ? ` (${it.reason})` : ''}
        </Row>
        <Row name="Agent">{it.agent}</Row>
        <Row name="Project">
          <code>{it.workspace}</code>
        </Row>
        <Row name="Image">
          {it.image}
          {it.olderBuild ? ' (it was built again since)' : ''}
        </Row>
        <Row name="Network">{it.network}</Row>
        <Row name="Made">
          {age(it.created, Date.now())} ago ({new Date(it.created).toLocaleString()})
        </Row>
        {it.memory === undefined ? null : <Row name="Memory">{bytes(it.memory)}</Row>}
        <Row name="User">
          {it.user.name}, {it.user.home}, {it.user.shell}
        </Row>
        <Row name="Processes">at most {it.limits.pids}</Row>
        <Row name="Attached">
          {clients.length
            ? clients
                .map(
                  ({ id, terminal, size, readonly }) =>
                    `${terminal ?? 'a terminal'} on ${id === 0 ? it.agent : `shell ${id}`}${
                      size ? ` (${size.columns}×${size.rows})` : ''
                    }${readonly ? ', reading' : ''}`,
                )
                .join('; ')
            : 'nobody'}
        </Row>
      </dl>
      {it.notes.length ? (
        <section aria-label="Notes">
          <h3>Notes</h3>
          <ul class="plain-list">
            {it.notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </section>
      ) : null}
      <details>
        <summary>Mounts ({it.mounts.length})</summary>
        <table class="table">
          <tbody>
            {it.mounts.map(({ source, target, readonly }) => (
              <tr key={target}>
                <td>
                  <code>{target}</code>
                </td>
                <td>
                  <code>{source}</code>
                </td>
                <td>{readonly ? 'read only' : 'writable'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
      <details>
        <summary>Environment ({Object.keys(it.environment).length})</summary>
        <table class="table">
          <tbody>
            {Object.entries(it.environment).map(([name, value]) => (
              <tr key={name}>
                <td>
                  <code>{name}</code>
                </td>
                <td>
                  <code>{value}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </>
  )
}
