/** The menu by keys, and the questions of dialogs. */
import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { GlobalRegistrator } from '@happy-dom/global-registrator'
import { type ComponentChild, render } from 'preact'
import { act } from 'preact/test-utils'

beforeAll(() => GlobalRegistrator.register({ url: 'http://localhost:8888/' }))
afterEach(() => render(null, document.body))
afterAll(() => GlobalRegistrator.unregister())

const draw = (what: ComponentChild) => act(() => render(what, document.body))

function button(label: string): HTMLButtonElement {
  const all = [...document.querySelectorAll('button')]
  const found = all.find((one) => (one.getAttribute('aria-label') ?? one.textContent) === label)
  if (!found) throw new Error(`no button ${label}`)
  return found
}
const click = (label: string) => act(() => button(label).click())

test('arrows move in a menu, and Escape gives the focus back', async () => {
  const { Menu } = await import('./menu.tsx')
  const ran: string[] = []
  const items = ['One', 'Two', 'Three'].map((label) => ({ label, run: () => void ran.push(label) }))
  await draw(
    <Menu label="More" items={items}>
      …
    </Menu>,
  )
  const press = (key: string) =>
    act(() => {
      const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true })
      document.activeElement?.dispatchEvent(event)
    })
  expect(document.querySelector('[role=menu]')).toBeNull()
  await click('More')
  expect(document.activeElement?.textContent).toBe('One')
  await press('ArrowUp')
  expect(document.activeElement?.textContent).toBe('Three')
  await press('ArrowDown')
  await press('ArrowDown')
  expect(document.activeElement?.textContent).toBe('Two')
  await press('Escape')
  expect(document.querySelector('[role=menu]')).toBeNull()
  expect(document.activeElement).toBe(button('More'))
  await click('More')
  await click('Two')
  expect(ran).toEqual(['Two'])
})

test('a question is answered once: yes, no, or by closing it', async () => {
  const { ask, Dialogs } = await import('./dialog.tsx')
  await draw(<Dialogs />)
  const answers: boolean[] = []
  const put = () =>
    act(() => {
      const asked = ask({ title: 'Kill <b>?', text: '<i>gone</i>', yes: 'Kill', isDangerous: true })
      void asked.then((yes) => answers.push(yes))
    })
  await put()
  expect(document.querySelector('b, i')).toBeNull()
  await click('Kill')
  expect(document.querySelector('dialog')).toBeNull()
  await put()
  await click('Cancel')
  await put()
  await click('Close')
  expect(answers).toEqual([true, false, false])
})
