/** The oldest Linux that boxes run on: 5.12 can shift the ids of a mount, and 5.13 has Landlock. */
export const MINIMUM_KERNEL = '5.13'
