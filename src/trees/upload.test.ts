import { expect, test } from 'bun:test'
import { newName } from './upload.ts'

test('names keep what can be typed at a prompt, and their ending', () => {
  for (const [name, pattern] of [
    ['image.png', /^image-[0-9a-f]{12}\.png$/],
    ['Screenshot 2026-11-28 at 10.15.00.PNG', /^Screenshot-2026-11-28-at-10\.15\.00-[0-9a-f]{12}\.png$/],
    ['../../etc/passwd', /^passwd-[0-9a-f]{12}$/],
    ['C:\\fake\\x.jpg', /^x-[0-9a-f]{12}\.jpg$/],
    ['--rm -rf $(id);`id`.sh', /^rm-rf-id-id-[0-9a-f]{12}\.sh$/],
    ['.bashrc', /^file-[0-9a-f]{12}\.bashrc$/],
    ['..', /^file-[0-9a-f]{12}$/],
    ['', /^file-[0-9a-f]{12}$/],
    ['\x1b]0;x\x07\n\r\0.png', /^0-x-[0-9a-f]{12}\.png$/],
    ['写真.webp', /^file-[0-9a-f]{12}\.webp$/],
    [`${'x'.repeat(5000)}.png`, /^x{48}-[0-9a-f]{12}\.png$/],
    ['a.toolongforanending', /^a\.toolongforanending-[0-9a-f]{12}$/],
  ] as const)
    expect(newName(name)).toMatch(pattern)
  expect(newName('a')).not.toBe(newName('a'))
})
