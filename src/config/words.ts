/** Two-word names for boxes without a name. Pure. */

const FIRST = (
  'amber bold brave bright brisk calm clever cosy curious eager early fair fancy fast fond free fresh ' +
  'gentle glad golden good grand happy honest jolly keen kind light lively lucky merry mild neat noble plain proud ' +
  'quick quiet ready rosy round sharp shiny silent silver smart smooth snug soft steady sunny swift tidy warm wise'
).split(' ')
const SECOND = (
  'acorn badger beacon birch bluff brook cedar cliff clover comet crane creek cricket dune ember falcon ' +
  'fern finch fjord forest fox garden glade grove harbor hawk hazel heron hill island lake lark linden lynx maple ' +
  'marsh meadow moss otter owl pebble pine plum pond poppy raven reed ridge river robin sparrow spruce star stone ' +
  'thistle tide trail valley willow wren'
).split(' ')
const TRIES = 100

/** A name that is not taken. `random` returns numbers from 0 to below 1. */
export function twoWords(taken: ReadonlySet<string>, random: () => number): string {
  const pick = (words: readonly string[]): string => words[Math.floor(random() * words.length)] ?? 'box'
  let name = ''
  for (let i = 0; i < TRIES; i++) {
    name = `${pick(FIRST)}-${pick(SECOND)}`
    if (!taken.has(name)) return name
  }
  for (let n = 2; ; n++) if (!taken.has(`${name}-${n}`)) return `${name}-${n}`
}
