import { expect, test } from 'bun:test'
import { iconFor, titleFor } from './marks.ts'
import { supportIn } from './support.ts'

test('the title says how many wait, and which box is shown', () => {
  expect(titleFor(undefined, 0)).toBe('coop')
  expect(titleFor('shop', 0)).toBe('shop · coop')
  expect(titleFor('shop', 2)).toBe('(2) shop · coop')
  expect([iconFor(0), iconFor(1)]).toEqual(['/icon.svg', '/icon-waiting.svg'])
})

const browser = {
  isSecureContext: true,
  Notification: { permission: 'default' as NotificationPermission },
  navigator: { serviceWorker: {}, userAgent: 'Mozilla/5.0 (X11; Linux x86_64) Chrome/150' },
  matchMedia: () => ({ matches: false }),
}

test('a browser is asked only where it can show notifications', () => {
  expect(supportIn(browser)).toEqual({ is: 'askable' })
  expect(supportIn({ ...browser, Notification: { permission: 'granted' } })).toEqual({ is: 'granted' })
  expect(supportIn({ ...browser, Notification: { permission: 'denied' } })).toEqual({ is: 'denied' })
  expect(supportIn({ ...browser, Notification: undefined }).is).toBe('unsupported')
  expect(supportIn({ ...browser, navigator: { userAgent: '' } }).is).toBe('unsupported')
  expect(supportIn({ ...browser, isSecureContext: false })).toMatchObject({
    why: expect.stringContaining('--tls'),
  })
})

test('an iPhone wants the page on its home screen first', () => {
  const phone = {
    ...browser,
    Notification: undefined,
    navigator: { userAgent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0)' },
  }
  expect(supportIn(phone)).toMatchObject({ why: expect.stringContaining('home screen') })
})
