import type { Api } from '../api/client'
import { Problem, Unreachable } from '../api/problem'
import type { components } from '../api/schema'
import type { FormBody } from '../forms/definition'
import type { Form, Item } from '../forms/form'
import { isObject } from '../forms/reading'
import { parentOf, rowsFrom, searchedIn, type WordEntry, type Words } from '../forms/words'
import type { Json, Platform } from '../platform'

type Answered = components['schemas']['CatalogueEntryAnswer']

export interface FoundEntries {
  readonly items: readonly WordEntry[]
  /** Behind which entry the next page begins; null at the end. */
  readonly nextAfter: string | null
}

/**
 * Catalogues (目录词典) that are searched at the server. What was picked, and rows that were needed, stay on this phone, so
 * that a form with them is shown and checked without a network too; what is not here is left to the server.
 */
export class Catalogues implements Words {
  private readonly entries = new Map<string, WordEntry>()
  private readonly lists = new Map<string, readonly WordEntry[]>()

  constructor(
    private readonly platform: Pick<Platform, 'store'>,
    private readonly api: Api,
    private readonly scope: string,
  ) {}

  /** Reads what this phone has. */
  async load(): Promise<void> {
    for (const [key, entry] of await this.platform.store.list(this.key('entry/'))) {
      this.entries.set(key.slice(this.key('entry/').length), entry as unknown as WordEntry)
    }
    for (const [key, rows] of await this.platform.store.list(this.key('rows/'))) {
      this.lists.set(key.slice(this.key('rows/').length), rows as unknown as WordEntry[])
    }
  }

  entry(dictionary: string, code: string): WordEntry | undefined {
    return this.entries.get(`${dictionary}/${code}`)
  }

  rows(dictionary: string, parent: string): readonly WordEntry[] | undefined {
    return this.lists.get(`${dictionary}/${parent}`)
  }

  /** Entries whose code begins so, or whose name has it, 20 at a time. Raises `Problem` and `Unreachable`. */
  async search(catalogue: string, q: string, after?: string): Promise<FoundEntries> {
    const query = { q, ...(after === undefined ? {} : { after }) } as never
    const { body } = await this.api.get('/api/v1/catalogues/{catalogue}', { path: { catalogue } as never, query })
    return { items: body.items.map(entryOf), nextAfter: body.next_after }
  }

  /** Keeps an entry that was picked. Rejects with `StorageFull`. */
  async keep(catalogue: string, entry: WordEntry): Promise<void> {
    this.entries.set(`${catalogue}/${entry.code}`, entry)
    await this.platform.store.write([[this.key(`entry/${catalogue}/${entry.code}`), entry as unknown as Json]])
  }

  /** Fetches what a body needs and this phone does not have; whether anything came. Without a network nothing does. */
  async prepare(form: Form, body: FormBody): Promise<boolean> {
    const wanted = { codes: new Map<string, Set<string>>(), parents: new Map<string, Set<string>>() }
    this.collect(form.items.filter((item) => item.place === ''), body, {}, wanted)
    try {
      for (const [catalogue, codes] of wanted.codes) await this.fetchEntries(catalogue, [...codes])
      for (const [catalogue, parents] of wanted.parents) {
        for (const parent of parents) await this.fetchRows(catalogue, parent)
      }
    } catch (error) {
      if (!(error instanceof Unreachable || error instanceof Problem)) throw error
      return false
    }
    return wanted.codes.size + wanted.parents.size > 0
  }

  private collect(
    items: readonly Item[], holder: Cells, around: Cells, wanted: { codes: Wanted; parents: Wanted },
  ): void {
    const known = { ...around, ...holder }
    for (const item of items) {
      const held = holder[item.name]
      const dictionary = searchedIn(item.definition)
      for (const code of dictionary === undefined ? [] : Array.isArray(held) ? held : [held]) {
        const isNew = typeof code === 'string' && code !== '' && this.entry(dictionary!, code) === undefined
        if (isNew) add(wanted.codes, dictionary!, code)
      }
      const rows = rowsFrom(item)
      const parent = rows === undefined ? undefined : parentOf(item, known)
      if (rows !== undefined && parent !== undefined && this.rows(rows, parent) === undefined) add(wanted.parents, rows, parent)
      for (const row of item.definition.type === 'group' && Array.isArray(held) ? (held as readonly unknown[]) : []) {
        if (isObject(row)) this.collect([...item.inner.values()], row, known, wanted)
      }
    }
  }

  private async fetchEntries(catalogue: string, codes: readonly string[]): Promise<void> {
    for (let first = 0; first < codes.length; first += MOST_CODES) {
      const query = { codes: codes.slice(first, first + MOST_CODES).join(',') } as never
      const path = { catalogue } as never
      const { body } = await this.api.get('/api/v1/catalogues/{catalogue}/entries', { path, query })
      for (const item of body.items) await this.keep(catalogue, entryOf(item))
    }
  }

  private async fetchRows(catalogue: string, parent: string): Promise<void> {
    const query = { of: parent } as never
    const { body } = await this.api.get('/api/v1/catalogues/{catalogue}/rows', { path: { catalogue } as never, query })
    const rows = body.items.map(entryOf)
    this.lists.set(`${catalogue}/${parent}`, rows)
    await this.platform.store.write([[this.key(`rows/${catalogue}/${parent}`), rows as unknown as Json]])
  }

  private key(name: string): string {
    return `${this.scope}catalogue/${name}`
  }
}

type Cells = Readonly<Record<string, unknown>>
type Wanted = Map<string, Set<string>>
const MOST_CODES = 50

function add(wanted: Wanted, catalogue: string, code: string): void {
  wanted.set(catalogue, (wanted.get(catalogue) ?? new Set()).add(code))
}

function entryOf({ code, name, detail }: Answered): WordEntry {
  return { code, name, detail }
}
