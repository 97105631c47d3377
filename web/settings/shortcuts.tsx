import { KEYS } from '../keys.ts'
import { Dialog } from '../ui/dialog.tsx'

const OTHERS: readonly (readonly [string, string])[] = [
  ['Ctrl+Shift+V', 'Paste text'],
  ['Ctrl+V', 'Paste a picture: it is stored in the box and its path is typed'],
  ['Shift+PgUp / PgDn', 'Scroll the output'],
  ['Shift+drag', 'Select text in programs that use the mouse'],
]

export function Shortcuts() {
  return (
    <Dialog title="Shortcuts" wide>
      <div class="dialog-body">
        <dl class="shortcuts">
          {Object.values(KEYS).map(({ shown, about }) => (
            <div key={shown}>
              <dt>{about}</dt>
              <dd>
                <kbd>{shown}</kbd>
              </dd>
            </div>
          ))}
          {OTHERS.map(([keys, about]) => (
            <div key={keys}>
              <dt>{about}</dt>
              <dd>
                <kbd>{keys}</kbd>
              </dd>
            </div>
          ))}
        </dl>
      </div>
    </Dialog>
  )
}
