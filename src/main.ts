/** Which of coop's programs this is: the daemon, or the command line. */

declare const COOP_VERSION: string

const argv = process.argv.slice(2)
if (argv[0] === '--daemon') {
  const { daemon } = await import('./daemon/main.ts')
  await daemon(typeof COOP_VERSION === 'string' ? COOP_VERSION : '0.0.0-source')
} else {
  const { main } = await import('./cli/main.ts')
  process.exit(await main(argv))
}

export {}
