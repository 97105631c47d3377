/** Files of /proc about the whole machine: its memory, keys, timers, log and addresses. */
import { describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { scratch } from '../harness/sandbox.ts'
import { everyone, inBox, needed, unprotected } from './support.ts'

const FILES = [
  'kcore',
  'keys',
  'key-users',
  'timer_list',
  'sched_debug',
  'kmsg',
  'kallsyms',
  'sysrq-trigger',
  'vmallocinfo',
  'kpagecount',
  'kpageflags',
  'kpagecgroup',
  'interrupts',
  'latency_stats',
  'timer_stats',
]
const FOLDERS = ['acpi', 'scsi', 'asound']
const BYTES = `for f in ${FILES.join(' ')}; do n=$(timeout 1 head -c 64 /proc/$f 2>/dev/null | wc -c); [ $n -gt 0 ] && echo $f; done; :`

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker)

  test.skipIf(box.missing)(
    `positive control: root of a namespace reads some of them${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const readable = (await unprotected(t, BYTES)).trim().split('\n')
      expect(readable).toContain('kallsyms')
    },
  )

  test.skipIf(box.missing)(`these files are empty in the box${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    expect(await inBox(t, BYTES)).toBe('')
    expect(await inBox(t, `for d in ${FOLDERS.join(' ')}; do ls -A /proc/$d 2>/dev/null; done; :`)).toBe('')
  })

  test.skipIf(box.missing)(
    `these files are empty under /proc/PID/task, /proc/self/root and cwd, too${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const script =
        'for p in /proc/self/root/proc /proc/self/task/../../..; do head -c 64 $p/keys; head -c 64 $p/kallsyms; done 2>/dev/null; :'
      expect(await inBox(t, script)).toBe('')
    },
  )

  test.skipIf(box.missing)(`every such file of the kernel is covered by a mount${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const mounted = await inBox(t, 'cut -d " " -f 5 /proc/self/mountinfo')
    for (const name of [...FILES, ...FOLDERS].filter((file) => existsSync(`/proc/${file}`)))
      expect(mounted.split('\n')).toContain(`/proc/${name}`)
  })

  test.skipIf(box.missing)(`writing a mask harms nothing${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const script = `for f in ${FILES.join(' ')}; do [ -e /proc/$f ] && echo h >/proc/$f; done 2>/dev/null; echo still here`
    expect(await inBox(t, script)).toBe('still here\n')
  })
})
