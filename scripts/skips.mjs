/** Says before a run of all tests which kinds are skipped. The summary at the end names each skipped test. */

/**
 * Returns the message for a user; empty for root, for whom no test needs other rights.
 *
 * @param {number | undefined} uid
 */
export function skippedFor(uid) {
  if (uid === 0) return ''
  return [
    'Running as an ordinary user. Tests that need root will be skipped:',
    '  - boxes of root and of other users, with and without subordinate ids: the tests make these accounts',
    '  - full disks and other mounts, device files, files of other owners',
    'Everything else runs as this user. To run all tests, on a machine for tests: sudo npm test',
    '',
  ].join('\n')
}
