/** Kernel files in the box's fresh /proc that are masked or read-only, by name below /proc, when they exist. */

/**
 * Replaced by an empty device or folder. They speak of the whole host: memory (kcore), keys of all users,
 * timers and scheduler with host processes, addresses and log of the kernel.
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

/** Readable, never writable: kernel parameters, interrupts, buses, file systems. */
export const READONLY = ['sys', 'irq', 'bus', 'fs'] as const
