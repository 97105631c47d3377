/** The output of a terminal as plain text: all of it that the daemon keeps, also of a box that is stopped. */
import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { box, boxName, connection, notifyError, ptyId } from '../app.ts'
import { readRing } from '../connection/read-ring.ts'
import { asText } from '../terminal/as-text.ts'
import { Dialog } from '../ui/dialog.tsx'

export function LogsDialog() {
  const text = useSignal<string | undefined>(undefined)
  const place = useRef<HTMLPreElement>(null)
  const [name, pty] = [boxName.value, ptyId.value]
  useEffect(() => {
    const link = connection.value
    if (!link || name === undefined) return
    const columns = box.peek()?.ptys.find(({ id }) => id === pty)?.size.columns || 80
    readRing(link, name, pty)
      .then((bytes) => asText(bytes, columns))
      .then(
        (found) => {
          text.value = found
          requestAnimationFrame(() => place.current?.scrollTo(0, place.current.scrollHeight))
        },
        (error) => {
          notifyError(error)
          text.value = ''
        },
      )
  }, [name, pty])
  return (
    <Dialog title={`Output of ${pty === 0 ? name : `shell ${pty} of ${name}`}`} wide>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the text scrolls, and keys must reach it. */}
      <pre class="log" ref={place} tabIndex={0} data-autofocus="">
        {text.value ?? 'Loading…'}
      </pre>
    </Dialog>
  )
}
