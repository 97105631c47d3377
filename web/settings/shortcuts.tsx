import { type Command, KEYS } from '../keys.ts'
import { Dialog } from '../ui/dialog.tsx'

type Line = readonly [keys: string, about: string]

const line = (command: Command): Line => [KEYS[command].shown, KEYS[command].about]

const GROUPS: readonly (readonly [title: string, lines: readonly Line[]])[] = [
  ['Boxes', [line('switchBox'), line('sidebar'), line('newBox')]],
  [
    'Terminals',
    [line('newShell'), line('splitRight'), line('splitDown'), line('nextTab'), line('previousTab')],
  ],
  [
    'Panes',
    [
      ['Alt+Shift+arrow', 'Go to the pane on that side'],
      ['Ctrl+Alt+Shift+arrow', 'Move the terminal to that side'],
    ],
  ],
  [
    'Output',
    [
      line('search'),
      ['Shift+PgUp / PgDn', 'Scroll'],
      line('copy'),
      ['Shift+drag', 'Select where a program uses the mouse'],
      ['Ctrl+Shift+V', 'Paste text'],
      ['Ctrl+V', 'Paste a picture, as a path in the box'],
    ],
  ],
  ['Page', [line('settings'), line('shortcuts')]],
]

export function Shortcuts() {
  return (
    <Dialog title="Shortcuts" wide>
      <div class="dialog-body">
        <div class="shortcut-groups">
          {GROUPS.map(([title, lines]) => (
            <section key={title} aria-label={title}>
              <h3>{title}</h3>
              <dl class="shortcuts">
                {lines.map(([keys, about]) => (
                  <div key={keys}>
                    <dt>{about}</dt>
                    <dd>
                      <kbd>{keys}</kbd>
                    </dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
        </div>
      </div>
    </Dialog>
  )
}
