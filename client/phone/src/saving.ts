/** Where what is typed on a page stands, for the line that says so (`SavingWord.vue`). */
import type { Ref } from 'vue'

export interface Saved {
  state: 'clean' | 'phone' | 'server' | 'full'
  /** Milliseconds since 1970. */
  at: number
}

export interface Saving {
  readonly saved: Ref<Saved>
  /** Why the last saving was refused. */
  readonly refusal: Ref<string | null>
  /** Somebody saved it elsewhere meanwhile; what was typed here is kept until the person chooses. */
  readonly overtaken: Ref<boolean>
  /** The person's choice then: what was typed here replaces what was saved elsewhere, or is given up. */
  settle(keepMine: boolean): Promise<void>
}
