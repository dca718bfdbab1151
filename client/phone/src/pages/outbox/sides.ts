/** The two sides of a draft that was changed on two phones, question by question, in words. */
import { answerText, type Difference, type Form, isWithin } from '@gongpin/core'

export interface Side {
  path: string
  label: string
  mine: string
  theirs: string
  suggested: 'mine' | 'theirs' | null
}

const OTHERS: Record<string, string> = {
  photos: '照片',
  signatures: '签名',
  product_code: '产品',
  form_version: '表格版本',
}

/** In the order of the form; what the form does not know stands behind. `words`: of dictionaries, by id. */
export function sidesOf(form: Form, differences: readonly Difference[], words: ReadonlyMap<string, string>): Side[] {
  const order = (path: string) => {
    const place = form.items.findIndex((item) => isWithin(path, item.pointer))
    return place === -1 ? form.items.length : place
  }
  return differences
    .map(({ path, mine, theirs, suggested }) => {
      const item = form.items.find((one) => isWithin(path, one.pointer))
      const read = (value: unknown) => {
        if (value === undefined || value === null) return ''
        if (item && ['photos', 'signature', 'file', 'group'].includes(item.definition.type)) return `${count(value)} 项`
        if (!item) return Array.isArray(value) ? `${value.length} 项` : String(value)
        return answerText(item.definition, value, words)
      }
      const no = item?.definition.no
      const label = item ? `${no ? `${no} ` : ''}${item.text}` : (OTHERS[path.slice(1)] ?? path.slice(1))
      return { path, label, mine: read(mine), theirs: read(theirs), suggested }
    })
    .sort((one, other) => order(one.path) - order(other.path))
}

function count(value: unknown): number {
  return Array.isArray(value) ? value.length : 1
}
