/** Which of coop's programs this is: the daemon, the worker for images, or the command line. */
import { main } from './cli/main.ts'

const argv = process.argv.slice(2)
if (argv[0] === '--daemon') {
  const { daemon } = await import('./daemon/main.ts')
  await daemon()
} else if (argv[0] === '--image-worker') {
  const { imageWorker } = await import('./image/worker.ts')
  await imageWorker()
} else process.exit(await main(argv))
