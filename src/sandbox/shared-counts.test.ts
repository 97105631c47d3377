import { expect, test } from 'bun:test'
import { loweredLimits, namespaceParameters } from './shared-counts.ts'

const HOST = {
  max_inotify_instances: 128,
  max_inotify_watches: 1,
  max_user_namespaces: 1000,
  max_mnt_namespaces: 500,
  max_fanotify_groups: 128,
}

test('a box gets half of the watchers and no user namespace', () => {
  expect(namespaceParameters(HOST, false)).toEqual({
    'sys/user/max_inotify_instances': 64,
    'sys/user/max_inotify_watches': 1,
    'sys/user/max_user_namespaces': 0,
  })
})

test('a nested one gets half of every kind of namespace', () => {
  expect(namespaceParameters(HOST, true)).toMatchObject({
    'sys/user/max_user_namespaces': 500,
    'sys/user/max_mnt_namespaces': 250,
  })
})

test('what this kernel does not have is not set', () => {
  expect(namespaceParameters({}, true)).toEqual({})
})

const LIMITS = `Limit                     Soft Limit           Hard Limit           Units
Max processes             100                  200                  processes
Max locked memory         8388608              unlimited            bytes
Max pending signals       unlimited            unlimited            signals
Max msgqueue size         819200               819200               bytes
`

test('the user keeps a part of each limit, and unlimited ones stay', () => {
  expect(loweredLimits(LIMITS)).toEqual([
    { name: 'Max locked memory', soft: 4_194_304, hard: undefined },
    { name: 'Max msgqueue size', soft: 409_600, hard: 819_200 },
    { name: 'Max processes', soft: 75, hard: 200 },
  ])
})
