/** Who wants to be told. A listener that fails is no concern of the others. */
export class Listeners<Told> {
  private readonly all = new Set<(told: Told) => void>()

  /** Returns how to stop. */
  add(listener: (told: Told) => void): () => void {
    this.all.add(listener)
    return () => this.all.delete(listener)
  }

  get isAnyone(): boolean {
    return this.all.size > 0
  }

  tell(told: Told): void {
    for (const listener of [...this.all]) {
      try {
        listener(told)
      } catch {
        // A screen that is gone shall not stop the sending.
      }
    }
  }
}
