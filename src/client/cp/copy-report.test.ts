import { describe, expect, test } from 'bun:test'
import { SysError } from '../../../ffi/libc.ts'
import { CopyReport, copyError, Interrupted } from './copy-report.ts'

function told(): { lines: string[]; report: CopyReport } {
  const lines: string[] = []
  return { lines, report: new CopyReport({ line: (text) => lines.push(text), progress: undefined }) }
}

describe('what goes wrong with one file', () => {
  test('is told, counted, and the copy goes on', async () => {
    const { lines, report } = told()
    await report.attempt('a/b', async () => {
      throw new SysError('openat', -13)
    })
    expect(report.failed).toBe(1)
    expect(lines).toEqual(['a/b was not copied: access denied (EACCES)'])
  })

  test('ends the copy when it will go wrong with all', async () => {
    const { report } = told()
    const full = async (): Promise<void> => {
      throw new SysError('write', -28)
    }
    await expect(report.attempt('a', full)).rejects.toThrow('ENOSPC')
    expect(() => report.fail('a', 'EDQUOT')).toThrow('EDQUOT')
    expect(copyError(new SysError('write', -28))).toMatchObject({ code: 'E_DISK_FULL' })
    expect(copyError(new SysError('openat', -13))).toMatchObject({ code: 'E_FAILED' })
  })

  test('is not told for ever', () => {
    const { lines, report } = told()
    for (let n = 0; n < 1000; n++) report.skip(`f${n}`, 'it is a fifo')
    report.end()
    expect(report.failed).toBe(0)
    expect(lines.length).toBe(21)
    expect(lines.at(-1)).toBe('and 980 more warnings like these')
  })
})

test('an interrupted copy stops at the next bytes or file', async () => {
  const { report } = told()
  expect(report.moved(100)).toBeUndefined()
  await report.moved(8 << 20)
  report.interrupt(2)
  expect(() => report.moved(1)).toThrow(Interrupted)
  await expect(report.attempt('a', async () => {})).rejects.toThrow(Interrupted)
})
