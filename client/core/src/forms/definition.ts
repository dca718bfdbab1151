/** Form definitions (表单) as the server answers them, and the bodies that answer them. */
import type { components } from '../api/schema'

export type { Fault } from '../api/problem'

type Schemas = components['schemas']

export type FormDefinition = Schemas['FormDefinition']
export type SectionDefinition = Schemas['FormSection']
export type ItemDefinition = Schemas['FormItem']
export type ItemType = ItemDefinition['type']
export type FormOption = Schemas['FormOption']
export type Condition = Schemas['Condition']
/** The definition of an item of one type: `DefinitionOf<'number'>` has `scale` and `unit`. */
export type DefinitionOf<Type extends ItemType> = Extract<ItemDefinition, { type: Type }>

/**
 * What a person has filled in, as it is sent: items with `field` stand at the top, numbered ones in `answers` or, when
 * they are disposals (处置), in `disposals`. The keys of the request around it (`kind`, `version`, …) are no part of it.
 * Bodies are never changed in place: `setAnswer` and the like answer a new one.
 */
export interface FormBody {
  readonly answers?: Readonly<Record<string, unknown>>
  readonly disposals?: Readonly<Record<string, unknown>>
  readonly [field: string]: unknown
}
