/** The dialog for a new box in a document: which folder it gets. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { GlobalRegistrator } from '@happy-dom/global-registrator'
import { render } from 'preact'
import { act } from 'preact/test-utils'
import { connection } from '../app.ts'
import { FakeDaemon } from '../connection/fake-socket.ts'

const HOME = '/home/me'
const listing = (path: string, ...names: string[]) => ({
  ...{ path, home: HOME, parent: '/home' },
  entries: names.map((name) => ({ name, repository: true })),
})

describe('a new box', () => {
  let NewBox: typeof import('./new-box.tsx').NewBox
  let daemon: FakeDaemon
  beforeAll(async () => {
    GlobalRegistrator.register({ url: 'http://localhost:8888/' })
    NewBox = (await import('./new-box.tsx')).NewBox
  })
  beforeEach(async () => {
    daemon = new FakeDaemon()
    daemon.connection.start()
    daemon.socket.greet()
    connection.value = daemon.connection
    await act(() => render(<NewBox />, document.body))
    await answer('folder.list', listing(HOME, 'src'))
    await answer('folder.recent', [])
  })
  afterEach(() => {
    render(null, document.body)
    daemon.connection.stop()
    connection.value = undefined
  })
  afterAll(() => GlobalRegistrator.unregister())

  const answer = (name: string, value: unknown) => act(() => daemon.socket.answer(name, value))
  const one = <T extends Element>(selector: string): T => {
    const found = document.querySelector<T>(selector)
    if (!found) throw new Error(`${selector} is not there: ${document.body.textContent}`)
    return found
  }
  const press = (label: string) =>
    act(() => {
      const button = [...document.querySelectorAll('button')].find(({ textContent }) => textContent === label)
      if (!button) throw new Error(`no button ${label}`)
      button.click()
    })
  const type = (path: string) =>
    act(() => {
      const field = one<HTMLInputElement>('[aria-label=Folder]')
      field.value = path
      field.dispatchEvent(new Event('input', { bubbles: true }))
    })

  test('gets the folder that is shown', async () => {
    await press('Use this folder')
    expect(one('.chosen').textContent).toBe(HOME)
  })

  test('gets the folder that was typed, also without Enter', async () => {
    await type('~/src/app')
    await press('Use this folder')
    expect(daemon.socket.asked('folder.list').call).toMatchObject({ path: '~/src/app' })
    await answer('folder.list', listing(`${HOME}/src/app`))
    expect(one('.chosen').textContent).toBe(`${HOME}/src/app`)
  })

  test('gets none when what was typed is no folder', async () => {
    await type('~/nothing')
    await press('Use this folder')
    await act(() => daemon.socket.refuse('folder.list', 'E_WORKSPACE', '~/nothing cannot be listed (ENOENT)'))
    expect(one('[role=alert]').textContent).toContain('cannot be listed')
    expect(document.querySelector('.chosen')).toBeNull()
  })

  test('comes back to the folder that was chosen', async () => {
    await type(`${HOME}/src`)
    await press('Use this folder')
    await answer('folder.list', listing(`${HOME}/src`))
    await press('Back')
    expect(daemon.socket.asked('folder.list').call).toMatchObject({ path: `${HOME}/src` })
  })
})
