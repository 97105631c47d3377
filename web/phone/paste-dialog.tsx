/** A field to paste into, where the browser does not give the clipboard away. */
import { useRef } from 'preact/hooks'
import { closeDialog, Dialog } from '../ui/dialog.tsx'
import { pasteText } from './paste.ts'

export function PasteDialog() {
  const field = useRef<HTMLTextAreaElement>(null)
  const done = (): void => {
    const text = field.current?.value ?? ''
    closeDialog()
    pasteText(text)
  }
  return (
    <Dialog title="Paste">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          done()
        }}
      >
        <div class="dialog-body">
          <p class="quiet">This browser does not show the clipboard to the page. Paste here instead.</p>
          <textarea
            ref={field}
            class="paste-field"
            rows={5}
            aria-label="Text to paste"
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            data-autofocus=""
          />
        </div>
        <footer class="dialog-foot">
          <button type="button" class="button plain" onClick={closeDialog}>
            Cancel
          </button>
          <button type="submit" class="button primary">
            Paste
          </button>
        </footer>
      </form>
    </Dialog>
  )
}
