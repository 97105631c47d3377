import { describe, expect, test } from 'bun:test'
import {
  hostIdOfRoot,
  idMapText,
  ownerInside,
  parseSubordinate,
  planIds,
  rootRange,
  singleIdAdvice,
} from './ids.ts'

const USER = { uid: 1000, gid: 1001, userName: 'robin', subuid: '', subgid: '', hasNewuidmap: true }
const RANGE = 'other:1:5\nrobin:100000:65536\n'

describe('ids of a box', () => {
  test('root is the user and the rest their subordinate range', () => {
    const plan = planIds({ ...USER, subuid: RANGE, subgid: RANGE })
    expect(plan.kind).toBe('range')
    expect(idMapText(plan.uids)).toBe('0 1000 1\n1 100000 65535\n')
    expect(idMapText(plan.gids)).toBe('0 1001 1\n1 100000 65535\n')
    expect(ownerInside(plan)).toBe(0)
  })

  test.each([
    ['no range', {}],
    ['a range of users only', { subuid: RANGE }],
    ['a range too small for an image', { subuid: 'robin:1:999', subgid: 'robin:1:999' }],
    ['no newuidmap', { subuid: RANGE, subgid: RANGE, hasNewuidmap: false }],
  ])('with %s there is one id, and advice', (_, facts) => {
    const all = { ...USER, ...facts }
    expect(planIds(all)).toMatchObject({ kind: 'single', uids: [{ inside: 0, outside: 1000, count: 1 }] })
    expect(singleIdAdvice(all)?.hint).toMatch(/usermod|uidmap/)
  })

  test.each([
    ['', '100000-165535'],
    ['a:100000:65536\n', '165536-231071'],
    ['a:200000:65536\nb:100000:65536', '265536-331071'],
    ['a:1000:10\nnonsense\nb:165535:1', '165536-231071'],
  ])('the range that is advised belongs to nobody: %j', (lines, range) => {
    const hint = singleIdAdvice({ ...USER, subuid: lines, subgid: '' })?.hint
    expect(hint).toBe(`sudo usermod --add-subuids ${range} --add-subgids 100000-165535 robin`)
  })

  test("root's box has none of the host's ids", () => {
    const plan = planIds({ ...USER, uid: 0, gid: 0, userName: 'root' })
    expect(plan.kind).toBe('root')
    expect(hostIdOfRoot(plan.uids)).toBe(1_878_982_656)
    expect(ownerInside(plan)).toBe(65_534)
    expect(singleIdAdvice({ ...USER, uid: 0 })).toBeUndefined()
  })

  test("root's block avoids every range that is given away", () => {
    expect(rootRange('a:1878982656:65536', 'b:1878917121:1')).toBe(1_878_851_584)
  })

  test('ranges are found by name and by number, and nonsense is passed over', () => {
    const text = '1000:5:10\nrobin:x:10\nrobin:20\n\nrobin:30:0\nrobin:40:2\n'
    expect(parseSubordinate(text, 'robin', 1000)).toEqual([
      { start: 5, count: 10 },
      { start: 40, count: 2 },
    ])
  })
})
