import type { components } from '../api/schema'
import type { Body } from '../drafts/draft'
import { fold } from '../forms/text'
import { newId } from '../ids'
import type { Outbox } from '../outbox/outbox'
import type { Json, Platform } from '../platform'
import type { Kept, KeptAnswer } from './kept'

type Entry = components['schemas']['DictionaryEntry']

export type DictionaryName = 'items' | 'test-items'
export type RegulationType = NonNullable<components['schemas']['ProductItemBody']['regulation_type']>

/** A product item (生产产品) or test item (检验项目) that may be chosen. */
export interface DictionaryEntry {
  id: string
  name: string
  regulationType: RegulationType | null
  /** Added on this phone, and not in the server's list yet. */
  isOwn: boolean
}

/** The words of a product that a form offers, those added on this phone included. */
export class Dictionary {
  constructor(
    private readonly platform: Platform,
    private readonly kept: Kept,
    private readonly outbox: Outbox,
    private readonly scope: string,
  ) {}

  /** The words, the server's first, in its order. Raises `Unreachable` where this phone has none. */
  async entries(dictionary: DictionaryName, productCode: string): Promise<KeptAnswer<DictionaryEntry[]>> {
    const path = `/api/v1/products/{code}/${dictionary}` as const
    const { body, at } = await this.kept.get(path, { code: productCode })
    const listed = body.items.map((entry: Entry) => ({
      ...{ id: entry.id, name: entry.name, isOwn: false },
      regulationType: entry.regulation_type ?? null,
    }))
    const names = new Set(listed.map((entry) => fold(entry.name)))
    const own = await this.platform.store.list(this.key(dictionary, productCode))
    return {
      body: [
        ...listed,
        ...own.map(([, entry]) => entry as unknown as DictionaryEntry).filter((one) => !names.has(fold(one.name))),
      ],
      at,
    }
  }

  /**
   * Adds a word, also without a network; the one that has this name already where there is one. Its id may be chosen at
   * once: the server keeps it as another name where it knows the word under another id. Rejects with `StorageFull`.
   */
  async add(
    dictionary: DictionaryName,
    productCode: string,
    name: string,
    regulationType: RegulationType | null = null,
  ): Promise<DictionaryEntry> {
    const known = (await this.entries(dictionary, productCode)).body.find((entry) => fold(entry.name) === fold(name))
    if (known !== undefined) return known
    const entry: DictionaryEntry = { id: newId(this.platform), name: name.trim(), regulationType, isOwn: true }
    const type: Body = dictionary === 'items' && regulationType !== null ? { regulation_type: regulationType } : {}
    const path = `/api/v1/products/${encodeURIComponent(productCode)}/${dictionary}/${entry.id}`
    await this.platform.store.write([[this.key(dictionary, productCode) + entry.id, entry as unknown as Json]])
    await this.outbox.add({
      type: 'dictionary',
      id: entry.id,
      title: entry.name,
      call: { method: 'PUT', path, body: { name: entry.name, ...type } },
    })
    return entry
  }

  private key(dictionary: DictionaryName, productCode: string): string {
    return `${this.scope}word/${dictionary}/${productCode}/`
  }
}
