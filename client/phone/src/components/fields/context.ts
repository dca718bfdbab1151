/** What the fields of a page need besides their items; the page provides it once. */
import type { DictionaryEntry, DictionaryName, ItemDefinition } from '@gongpin/core'
import { inject, onMounted, provide, ref, type InjectionKey, type Ref } from 'vue'

import { type Desk, ownDesk } from '@/desk'
import { workplace } from '@/services'
import { sentenceOf } from '@/words'

export type RegulationType = NonNullable<DictionaryEntry['regulationType']>

export interface FieldContext {
  /** Of the record: whose words the dictionaries offer. */
  productCode: () => string
  /** Who holds the phone: stands with each photo. */
  personName: () => string
  /** The kind of record that the form makes (`production`, `sales`, `spot_check`), for suggestions. */
  kind?: () => string
  /** Chosen regulation types (监管类型); an added product takes the only one, or asks. */
  regulationTypes?: () => readonly string[]
  /** Whose files and catalogues the fields use; without it, those of the person who is signed in. */
  desk?: () => Promise<Desk>
}

const KEY: InjectionKey<FieldContext> = Symbol('fields')

export function provideFields(context: FieldContext): void {
  provide(KEY, context)
}

export function useFields(): FieldContext {
  const context = inject(KEY)
  if (context === undefined) throw new Error('the page does not call provideFields')
  return context
}

/** Where fields keep their files and look up their words. */
export function useDesk(): () => Promise<Desk> {
  return useFields().desk ?? ownDesk
}

const DICTIONARIES: Readonly<Record<string, DictionaryName>> = { product_items: 'items', test_items: 'test-items' }

/** The dictionary whose words an item offers (`options_from`). */
export function dictionaryOf(definition: ItemDefinition): DictionaryName | undefined {
  return 'options_from' in definition && definition.options_from !== undefined ? DICTIONARIES[definition.options_from] : undefined
}

/** The words of the dictionary that an item names by `options_from`, added ones included. */
export interface Words {
  list: Ref<readonly DictionaryEntry[]>
  /** Why there are none; null while all is well. */
  failed: Ref<string | null>
  load: () => Promise<void>
  add: (name: string, type: RegulationType | null) => Promise<DictionaryEntry>
}

export function useWords(optionsFrom: string | undefined): Words {
  const fields = useFields()
  const list = ref<readonly DictionaryEntry[]>([])
  const failed = ref<string | null>(null)
  const name = optionsFrom === undefined ? undefined : DICTIONARIES[optionsFrom]

  async function load() {
    if (name === undefined) return
    try {
      const { dictionary } = await workplace()
      list.value = (await dictionary.entries(name, fields.productCode())).body
      failed.value = null
    } catch (error) {
      failed.value = sentenceOf(error)
    }
  }

  async function add(word: string, type: RegulationType | null) {
    const { dictionary } = await workplace()
    const entry = await dictionary.add(name!, fields.productCode(), word, type)
    await load()
    return entry
  }

  onMounted(load)
  return { list, failed, load, add }
}
