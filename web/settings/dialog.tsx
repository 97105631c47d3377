/** What the user of this browser likes. Every change shows at once. */
import { AUTO } from '../../src/themes/names.ts'
import { THEMES } from '../../src/themes/themes.ts'
import { session } from '../app.ts'
import { NotificationSettings } from '../attention/settings-part.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { change, LIMITS, settings } from './settings.ts'

const SCROLLBACKS = [1_000, 5_000, 10_000, 50_000, 100_000]

function ThemeChoice() {
  const { theme } = settings.value
  return (
    <fieldset class="themes">
      <legend>Theme</legend>
      <div class="theme-list">
        <label class="theme-choice">
          <input
            type="radio"
            name="theme"
            checked={theme === AUTO}
            onChange={() => change({ theme: AUTO })}
            data-autofocus=""
          />
          <span class="theme-sample auto" aria-hidden="true">
            <i />
            <i />
          </span>
          <span>Automatic</span>
        </label>
        {THEMES.map(({ name, ui, terminal }) => (
          <label key={name} class="theme-choice">
            <input
              type="radio"
              name="theme"
              checked={theme === name}
              onChange={() => change({ theme: name })}
            />
            <span
              class="theme-sample"
              aria-hidden="true"
              style={{ background: terminal.background, color: terminal.foreground, borderColor: ui.border }}
            >
              <i style={{ background: terminal.green }} />
              <i style={{ background: terminal.yellow }} />
              <i style={{ background: terminal.blue }} />
              <i style={{ background: terminal.magenta }} />
            </span>
            <span class="theme-name">{name.replaceAll('-', ' ')}</span>
          </label>
        ))}
      </div>
    </fieldset>
  )
}

export function SettingsDialog() {
  const { fontSize, fontFamily, scrollback, screenReader, clipboard } = settings.value
  return (
    <Dialog title="Settings">
      <div class="dialog-body">
        <ThemeChoice />
        <label class="field">
          <span>Font size</span>
          <input
            type="number"
            min={LIMITS.fontSize.min}
            max={LIMITS.fontSize.max}
            value={fontSize}
            onChange={(event) => change({ fontSize: event.currentTarget.valueAsNumber })}
          />
        </label>
        <label class="field">
          <span>Font</span>
          <input
            type="text"
            placeholder="the system’s"
            maxLength={200}
            spellcheck={false}
            value={fontFamily}
            onChange={(event) => change({ fontFamily: event.currentTarget.value })}
          />
        </label>
        <label class="field">
          <span>Scrollback</span>
          <select
            value={scrollback}
            onChange={(event) => change({ scrollback: Number(event.currentTarget.value) })}
          >
            {[...new Set([...SCROLLBACKS, scrollback])]
              .toSorted((a, b) => a - b)
              .map((lines) => (
                <option key={lines} value={lines}>
                  {lines.toLocaleString()} lines
                </option>
              ))}
          </select>
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={clipboard}
            onChange={(event) => change({ clipboard: event.currentTarget.checked })}
          />
          <span>
            Programs may put text on the clipboard
            <span class="quiet"> They can never read it.</span>
          </span>
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={screenReader}
            onChange={(event) => change({ screenReader: event.currentTarget.checked })}
          />
          <span>
            Screen reader
            <span class="quiet"> Reads the output of terminals aloud.</span>
          </span>
        </label>
        <NotificationSettings />
        <p class="quiet small">
          These settings are kept in this browser
          {session.value ? `, which the server knows as “${session.value.browser.name}”` : ''}.
        </p>
      </div>
    </Dialog>
  )
}
