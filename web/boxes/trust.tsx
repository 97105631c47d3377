/** What a project wants and nobody has accepted: shown in full, and accepted only by a press of the button below it. */
import { useSignal } from '@preact/signals'
import { type Wanted, wantedBy } from '../../src/trust/ask.ts'
import { connection, notifyError } from '../app.ts'
import { Button } from '../ui/button.tsx'
import { closeDialog, Dialog, openDialog } from '../ui/dialog.tsx'

const MAX_ROUNDS = 3 // more than one, as the file may change meanwhile

export function Asks(props: { wanted: Wanted; onAccepted(): void; onRefused(): void }) {
  const { wanted, onAccepted, onRefused } = props
  const { workspace, asks, note } = wanted
  const isBusy = useSignal(false)
  const accept = async (): Promise<void> => {
    isBusy.value = true
    try {
      await connection.value?.call('trust.accept', { workspace, asks })
      onAccepted()
    } catch (error) {
      notifyError(error)
    } finally {
      isBusy.value = false
    }
  }
  return (
    <>
      <div class="dialog-body">
        {note ? <p>{note}</p> : null}
        <p>
          The project in <code>{workspace}</code> wants what you have not accepted:
        </p>
        <ul class="asks">
          {asks.map(({ key, sentence }) => (
            <li key={key}>to {sentence}</li>
          ))}
        </ul>
        <p class="quiet">
          Accept only what you would do yourself. It holds for this folder until you revoke it.
        </p>
      </div>
      <footer class="dialog-foot">
        <Button onClick={onRefused}>Do not accept</Button>
        <Button kind="primary" disabled={isBusy.value} onClick={() => void accept()}>
          Accept
        </Button>
      </footer>
    </>
  )
}

function askFor(wanted: Wanted): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const answer = (is: boolean): void => {
    closeDialog()
    resolve(is)
  }
  openDialog(() => (
    <Dialog title="Trust this project?" onClose={() => answer(false)}>
      <Asks wanted={wanted} onAccepted={() => answer(true)} onRefused={() => answer(false)} />
    </Dialog>
  ))
  return promise
}

/** Runs work that a project's coop.toml may block: asks the user, and runs it again. Undefined when they refuse. */
export async function trusting<T>(work: () => Promise<T>): Promise<T | undefined> {
  for (let round = 1; ; round++) {
    try {
      return await work()
    } catch (error) {
      const wanted = wantedBy(error)
      if (!wanted || round > MAX_ROUNDS) throw error
      if (!(await askFor(wanted))) return undefined
    }
  }
}
