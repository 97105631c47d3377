/** Kernel files in the box's own /proc that are masked or read-only, by name below /proc, if they exist. */

/**
 * Replaced by an empty device or folder. They tell about the whole host: memory (kcore), keys of all users, timers and
 * scheduler with the host's processes, the kernel's addresses and log.
 */
export const MASKED_FILES = [
  'kcore',
  'keys',
  'key-users',
  'timer_list',
  'timer_stats',
  'sched_debug',
  'sysrq-trigger',
  'kmsg',
  'kallsyms',
  'latency_stats',
  'kpagecount',
  'kpageflags',
  'kpagecgroup',
  'vmallocinfo',
  'interrupts',
] as const
export const MASKED_FOLDERS = ['acpi', 'scsi', 'asound'] as const

/** Readable but not writable: kernel parameters, interrupts, buses, file systems. */
export const READONLY = ['sys', 'irq', 'bus', 'fs'] as const
