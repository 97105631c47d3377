/** Starts of stopped boxes that are under way: at most one for each box, however many clients ask for it. */
export class Starts<T> {
  readonly #underWay = new Map<string, Promise<T>>()

  /** Joins the start of a box that is under way, or begins one. */
  join(name: string, begin: () => Promise<T>): Promise<T> {
    const known = this.#underWay.get(name)
    if (known) return known
    const start = begin().finally(() => this.#underWay.delete(name))
    this.#underWay.set(name, start)
    return start
  }

  get busy(): boolean {
    return this.#underWay.size > 0
  }

  get count(): number {
    return this.#underWay.size
  }

  /** Resolves when no start of that box is under way, also if it failed. */
  async settled(name: string): Promise<void> {
    await this.#underWay.get(name)?.catch(() => {})
  }
}
