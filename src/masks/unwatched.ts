/** Words for folders that cannot be watched. */
import { CoopError } from '../core/errors.ts'

/** E_ISOLATION for folders that cannot be watched. */
export const unwatchedError = (path: string, count: number): CoopError =>
  new CoopError('E_ISOLATION', unwatchedText(path, count), {
    hint: 'raise the limit: sudo sysctl fs.inotify.max_user_watches=1048576; or remove strict from [secrets]',
  })

export const unwatchedText = (path: string, count: number): string =>
  `${count} folders of ${path} cannot be watched (fs.inotify.max_user_watches), so secrets that appear in them while a box runs are not hidden there`
