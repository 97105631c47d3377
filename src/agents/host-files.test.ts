import { expect, test } from 'bun:test'
import { fakeFiles } from './fake-files.ts'
import { withoutPlanted } from './host-files.ts'
import { resolveLinks } from './resolve.ts'

const files = withoutPlanted(
  fakeFiles({
    '/w/node_modules/.bin/claude': '-> ../claude/cli.js',
    '/w/node_modules/claude/cli.js': '+x #!',
    '/w/bin/claude': '-> /home/me/private',
    '/w/bin/codex': '-> ../up/me/private',
    '/w/up': '-> /home',
    '/w/here': '-> .',
    '/w/bin/gemini': '-> ../here/../home/me/private',
    '/home/me/bin/claude': '-> /home/me/private',
    '/home/me/private': '+x #!',
  }),
  ['/w'],
)

test('a link where boxes write is there as long as it stays there', () => {
  expect(resolveLinks(files, '/w/node_modules/.bin/claude')?.path).toBe('/w/node_modules/claude/cli.js')
  expect(resolveLinks(files, '/w/bin/claude')).toBeUndefined()
  expect(resolveLinks(files, '/w/bin/codex')).toBeUndefined()
  expect(resolveLinks(files, '/w/bin/gemini')).toBeUndefined()
})

test('a link of the user’s leads where it leads', () => {
  expect(resolveLinks(files, '/home/me/bin/claude')?.path).toBe('/home/me/private')
})
