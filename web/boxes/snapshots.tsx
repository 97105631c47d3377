/** The snapshots of a box: make one, go back to one. */
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { CoopError } from '../../src/core/errors.ts'
import type { SnapshotInfo } from '../../src/protocol/calls/snapshots.ts'
import { boxName, connection, isReadonly, notify, notifyError } from '../app.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { ask, closeDialog, Dialog } from '../ui/dialog.tsx'
import { openSnapshots } from './actions.ts'
import { age, bytes } from './order.ts'
import { trusting } from './trust.tsx'

const FILES = {
  none: 'the box’s files',
  repository: 'box and project',
  'with-ignored': 'box and project with ignored files',
  folder: 'box and project',
} as const

/** A name that sorts by time and that the daemon takes: "2026-11-28-2315". */
export function nameFor(date: Date): string {
  const two = (number: number): string => String(number).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day}-${two(date.getHours())}${two(date.getMinutes())}`
}

async function restore(name: string, snapshot: SnapshotInfo, force = false): Promise<void> {
  const link = connection.value
  if (!link) return
  const workspace = snapshot.files !== 'none'
  try {
    const request = { box: name, cwd: '', name: snapshot.name, workspace, force, environment: {} }
    const done = await trusting(() => link.call('snapshot.restore', request))
    if (!done) return
    for (const text of done.warnings) notify(text)
    notify(`${name} is back at ${snapshot.name}.`, {
      hint: `${done.replaced} replaced, ${done.deleted} deleted; the files before are in ${done.undo}`,
    })
  } catch (error) {
    const canForce = error instanceof CoopError && /--force/.test(error.hint ?? '')
    if (!canForce || force) return notifyError(error)
    const yes = await ask({
      title: 'Delete files of the project?',
      text: error instanceof Error ? error.message : '',
      yes: 'Restore anyway',
      isDangerous: true,
    })
    if (yes) await restore(name, snapshot, true)
  }
}

export function SnapshotsDialog() {
  const name = boxName.value
  const list = useSignal<readonly SnapshotInfo[] | undefined>(undefined)
  const wish = useSignal(nameFor(new Date()))
  const note = useSignal('')
  const withWorkspace = useSignal(true)
  const isBusy = useSignal(false)
  const refresh = async (): Promise<void> => {
    if (name === undefined) return closeDialog()
    try {
      list.value = await connection.value?.call('snapshot.list', { box: name, cwd: '' })
    } catch (error) {
      notifyError(error)
      closeDialog()
    }
  }
  useEffect(() => void refresh(), [name])
  const create = async (): Promise<void> => {
    if (name === undefined) return
    isBusy.value = true
    try {
      await connection.value?.call('snapshot.create', {
        ...{ box: name, cwd: '', name: wish.value.trim(), workspace: withWorkspace.value, ignored: false },
        ...(note.value.trim() ? { note: note.value.trim() } : {}),
      })
      note.value = ''
      wish.value = nameFor(new Date())
      await refresh()
    } catch (error) {
      notifyError(error)
    } finally {
      isBusy.value = false
    }
  }
  const putBack = async (snapshot: SnapshotInfo): Promise<void> => {
    if (name === undefined) return
    const yes = await ask({
      title: `Go back to ${snapshot.name}?`,
      text: 'The box stops, its files become those of the snapshot, and it starts again. The files of now are kept in a snapshot of their own.',
      yes: 'Go back',
    })
    if (yes) await restore(name, snapshot)
  }
  const remove = async (snapshot: SnapshotInfo): Promise<void> => {
    if (name === undefined) return
    const yes = await ask({
      title: `Remove ${snapshot.name}?`,
      text: 'Nobody can go back to it afterwards.',
      yes: 'Remove',
      isDangerous: true,
    })
    if (!yes) return
    await connection.value
      ?.call('snapshot.remove', { box: name, cwd: '', name: snapshot.name })
      .catch(notifyError)
    openSnapshots()
  }
  const all = list.value?.toSorted((a, b) => b.created - a.created)
  return (
    <Dialog title={`Snapshots of ${name ?? ''}`} wide>
      <div class="dialog-body">
        {isReadonly.value ? null : (
          <form
            class="inline-form"
            onSubmit={(event) => {
              event.preventDefault()
              void create()
            }}
          >
            <input
              type="text"
              aria-label="Name"
              required
              maxLength={63}
              spellcheck={false}
              value={wish.value}
              onInput={(event) => {
                wish.value = event.currentTarget.value
              }}
            />
            <input
              type="text"
              aria-label="Note"
              placeholder="Note"
              maxLength={500}
              value={note.value}
              onInput={(event) => {
                note.value = event.currentTarget.value
              }}
            />
            <label class="check">
              <input
                type="checkbox"
                checked={withWorkspace.value}
                onChange={(event) => {
                  withWorkspace.value = event.currentTarget.checked
                }}
              />
              with the project
            </label>
            <Button kind="primary" submit disabled={isBusy.value}>
              {isBusy.value ? 'Copying…' : 'Make a snapshot'}
            </Button>
          </form>
        )}
        {all === undefined ? <p class="quiet">Loading…</p> : null}
        {all && !all.length ? <p class="quiet">There are none yet.</p> : null}
        <ul class="snapshot-list">
          {all?.map((snapshot) => (
            <li key={snapshot.name}>
              <div class="spring">
                <p class="snapshot-name">
                  {snapshot.name}
                  {snapshot.automatic ? <span class="tag">before a restore</span> : null}
                </p>
                <p class="quiet">
                  {age(snapshot.created, Date.now())} · {bytes(snapshot.size)} · {FILES[snapshot.files]}
                  {snapshot.note ? ` · ${snapshot.note}` : ''}
                </p>
              </div>
              {isReadonly.value ? null : (
                <>
                  <Button disabled={snapshot.unknown} onClick={() => void putBack(snapshot)}>
                    Go back
                  </Button>
                  <IconButton
                    icon="close"
                    label={`Remove ${snapshot.name}`}
                    onClick={() => void remove(snapshot)}
                  />
                </>
              )}
            </li>
          ))}
        </ul>
      </div>
    </Dialog>
  )
}
