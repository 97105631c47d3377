/** Output that is faster than a link, and how late a page shows it. */
import type { Shown } from './page.ts'

/** A Perl program: three kilobytes in each millisecond, with the time at which they were written. */
export const WRITES = String.raw`use Time::HiRes qw(time sleep); $| = 1; my $n = 0;
for (;;) { my $now = time; my $out = '';
  for (1 .. 30) { $n++; $out .= sprintf("at %d line %09d %s\n", $now * 1000, $n, 'x' x 66) }
  print $out; my $left = $now + 0.001 - time; sleep $left if $left > 0 }`

// In a frame: between two of them the rows may be empty, which nobody sees.
const LATE = `new Promise((seen) => requestAnimationFrame(() => {
  const rows = [...document.querySelectorAll('.pane .xterm-rows')].find((one) => one.checkVisibility())
  const times = [...rows.textContent.matchAll(/at (\\d{13}) line/g)].map(([, time]) => Number(time))
  seen(Date.now() - Math.max(...times))
}))`

/** Returns the age in ms of the newest line that is shown; infinite when none is. */
export const lateness = ({ page }: Shown): Promise<number> => page.evaluate<number>(LATE)
