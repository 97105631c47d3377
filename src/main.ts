/**
 * Which of coop's programs this is: the daemon, the worker for images, one that looks for secrets, the process that has
 * the page served, the daily check, or the command line.
 */
export {}

const argv = process.argv.slice(2)
switch (argv[0]) {
  case '--daemon': {
    const { daemon } = await import('./daemon/main.ts')
    await daemon()
    break
  }
  case '--image-worker': {
    const { imageWorker } = await import('./worker/main.ts')
    await imageWorker()
    break
  }
  case '--scan-secrets': {
    const { scanForParent } = await import('./secrets/check/worker.ts')
    await scanForParent()
    break
  }
  case '--keep-serving': {
    const { keepServing } = await import('./cli/serving/keeper.ts')
    await keepServing()
    break
  }
  case '--daily-check': {
    const { lookForReleases } = await import('./update/daily.ts')
    await lookForReleases()
    break
  }
  default: {
    if (process.getuid?.() === 0) {
      const { takeRootsHome } = await import('./disk/roots-home.ts')
      await takeRootsHome(process.env)
    }
    // A command loads only what it needs: each further chunk costs as much as its content.
    const { main } = await (argv[0] === 'ls'
      ? import('./cli/main-ls.ts')
      : argv[0] === 'run'
        ? import('./cli/main-run.ts')
        : import('./cli/main.ts'))
    process.exit(await main(argv))
  }
}
