/** Which of coop's programs this is: the daemon, or the command line. */

const argv = process.argv.slice(2)
if (argv[0] === '--daemon') {
  const { daemon } = await import('./daemon/main.ts')
  await daemon()
} else {
  const { main } = await import('./cli/main.ts')
  process.exit(await main(argv))
}

export {}
