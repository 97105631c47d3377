/** Notifications in the settings. */
import { useEffect } from 'preact/hooks'
import { isBusy, lookAgain, reach, turnOff, turnOn } from './choice.ts'

const WORDS = {
  always: 'You hear of an agent that waits, also while this page is closed.',
  'open-pages': 'You hear of an agent that waits while this page is open, also in the background.',
  off: 'You see who waits in the list, in the title and in the icon of this page.',
  askable: 'Hear of an agent that waits, also while you do something else.',
  denied: 'The browser blocks notifications of this page. Allow them in its settings for this site.',
} as const

export function NotificationSettings() {
  useEffect(lookAgain, [])
  const now = reach.value
  const isOn = now.is === 'always' || now.is === 'open-pages'
  return (
    <section class="notify-settings" aria-labelledby="notify-title">
      <h3 id="notify-title">Notifications</h3>
      <div class="notify-row">
        <p>{now.is === 'unsupported' ? now.why : WORDS[now.is]}</p>
        {now.is === 'unsupported' || now.is === 'denied' ? null : (
          <button
            type="button"
            class={`button ${isOn ? 'plain' : 'primary'}`}
            disabled={isBusy.value}
            onClick={() => void (isOn ? turnOff() : turnOn())}
          >
            {isOn ? 'Turn off' : 'Turn on'}
          </button>
        )}
      </div>
    </section>
  )
}
