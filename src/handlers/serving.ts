/** Handlers of calls about the page, and about folders for it. */
import { homedir } from 'node:os'
import { CoopError } from '../core/errors.ts'
import { writableMounts } from '../plan/writable.ts'
import type { FOLDER_CALLS } from '../protocol/calls/folders.ts'
import type { SERVING_CALLS } from '../protocol/calls/serving.ts'
import { isWithin } from '../sandbox/sensitive.ts'
import type { HandlersFor } from './handlers.ts'
import type { Services } from './services.ts'

export function servingHandlers({
  serving,
  registry,
}: Services): HandlersFor<keyof typeof SERVING_CALLS | keyof typeof FOLDER_CALLS> {
  return {
    'serve.start': async (channel, request) => {
      const ended = (reason: string): void => channel.exit({ code: 0, reason })
      const info = await serving.start(request, ended)
      // Ends with its client; at once if that has gone meanwhile.
      channel.activity = { abandon: () => void serving.stop('its client has gone', ended) }
      return info
    },
    'serve.status': () => serving.status,
    'serve.stop': () => serving.stop('coop serve --stop'),
    'serve.browsers': () => serving.listBrowsers(),
    'serve.revoke': (_, { id, all }) => {
      if (id === undefined && !all) throw new CoopError('E_USAGE', 'name a browser, or all of them')
      return serving.browsers.revoke(all ? undefined : id)
    },
    'folder.list': async (_, { path }) => {
      const { listFolders } = await import('../serve/folders.ts')
      const boxes = new Map(registry.boxes.map(({ name, manifest }) => [manifest.workspace, name]))
      const written = writableMounts(registry.boxes.map(({ manifest }) => manifest))
      return listFolders(
        path,
        homedir(),
        (folder) => boxes.get(folder),
        (folder) => written.some((one) => isWithin(folder, one)),
      )
    },
    'folder.recent': () => {
      const used = new Map<string, number>()
      const note = (path: string, when: number): void =>
        void used.set(path, Math.max(used.get(path) ?? 0, when))
      for (const { manifest } of registry.boxes)
        if (manifest.kind === 'agent') note(manifest.workspace, manifest.created)
      for (const { path, used: when } of serving.browsers.folders) note(path, when)
      return [...used].map(([path, when]) => ({ path, used: when })).toSorted((a, b) => b.used - a.used)
    },
  }
}
