/** What makes the page one for fingers. Loaded where there is a touch screen or a narrow window. */
import { effect } from '@preact/signals'
import { isDrawerOpen, isReadonly, ptyId, slots, tabs, terminal, throughKeys } from '../app.ts'
import { closeDrawerBySwipe } from './drawer.ts'
import { KeyBar } from './key-bar.tsx'
import { swiped } from './tabs.ts'
import { listenToTouch } from './touch.ts'
import { typedBytes, watchComposing } from './typed-keys.ts'
import { followViewport } from './viewport.ts'

export function startPhone(): void {
  followViewport(document.documentElement)
  closeDrawerBySwipe()
  throughKeys.value = typedBytes
  slots.belowTerminal.value = KeyBar
  const where = (to: 'left' | 'right') =>
    swiped(
      tabs.peek().map(({ pty }) => pty),
      ptyId.peek(),
      to,
    )
  effect(() => {
    const shown = terminal.value
    if (!shown) return
    const ends = [
      listenToTouch(shown, {
        leads: (to) => where(to).to !== 'nowhere',
        swipe: (to) => {
          const found = where(to)
          if (found.to === 'tab') ptyId.value = found.pty
          else if (found.to === 'drawer') isDrawerOpen.value = true
        },
      }),
      watchComposing(shown.element, (text) => {
        if (!isReadonly.peek()) shown.send(text)
      }),
    ]
    return () => {
      for (const end of ends) end()
    }
  })
}
