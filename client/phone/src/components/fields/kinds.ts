/** Which component answers an item. */
import { choicesOf, type ItemDefinition, searchedIn } from '@gongpin/core'

export type FieldKind =
  | 'answers' | 'options' | 'words' | 'search' | 'text' | 'texts' | 'date' | 'region' | 'photos' | 'file' | 'signature' | 'group'

const MOST_IN_A_ROW = 4
const LONGEST_IN_A_ROW = 4

export function fieldKindOf(definition: ItemDefinition): FieldKind {
  switch (definition.type) {
    case 'boolean':
    case 'disposal':
      return 'answers'
    case 'choice':
    case 'multi':
      if (searchedIn(definition) !== undefined) return 'search'
      if (definition.options_from !== undefined) return 'words'
      return definition.type === 'choice' && fitsInARow(definition) ? 'answers' : 'options'
    case 'text':
      return definition.repeat ? 'texts' : 'text'
    case 'date':
    case 'region':
    case 'photos':
    case 'file':
    case 'signature':
    case 'group':
      return definition.type
    default:
      return 'text'
  }
}

/** Short words stand side by side; long ones, or many, one below the other. */
function fitsInARow(definition: ItemDefinition): boolean {
  const choices = choicesOf(definition) ?? []
  return choices.length <= MOST_IN_A_ROW && choices.every((one) => Array.from(one.label).length <= LONGEST_IN_A_ROW)
}
