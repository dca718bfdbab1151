import { describe, expect, it } from 'vitest'

import { fieldKindOf } from '../src/components/fields/kinds'
import { addWord, belongsTo, idOf, paperNumber } from '../src/components/fields/place'
import { withNotes } from '../src/platform/exif'

describe('Which field answers an item', () => {
  const labels = (...words: string[]) => words.map((label) => ({ value: label, label }))

  it('is a row of buttons for a few short words', () => {
    expect(fieldKindOf({ no: '1', text: '', type: 'choice', options: labels('是', '否', '不适用') })).toBe('answers')
    expect(fieldKindOf({ no: '1', text: '', type: 'boolean' })).toBe('answers')
    expect(fieldKindOf({ no: '1', text: '', type: 'disposal' })).toBe('answers')
  })

  it('is a list where a word is long or there are many', () => {
    expect(fieldKindOf({ no: '1', text: '', type: 'choice', options: labels('企业拒绝检查') })).toBe('options')
    expect(fieldKindOf({ no: '1', text: '', type: 'choice', options: labels('一', '二', '三', '四', '五') })).toBe('options')
  })

  it('is a sheet of words where they come from a dictionary', () => {
    expect(fieldKindOf({ field: 'products', text: '', type: 'multi', options_from: 'product_items' })).toBe('words')
  })
})

describe('The buttons that hints of forms name', () => {
  interface Printed { text: string; help?: string; options_from?: string; items?: Printed[] }
  const forms = import.meta.glob<{ sections: { items: Printed[] }[] }>('../../../inspection/forms/*.json', { eager: true, import: 'default' })
  const items = Object.values(forms).flatMap(({ sections }) => sections.flatMap((section) => section.items))
  const named = items.flatMap((item) => {
    const [, button] = /点击“([^”]+)”/.exec(item.help ?? '') ?? []
    return button === undefined ? [] : [{ item, button }]
  })

  it('are there under these names', () => {
    expect(named.length).toBeGreaterThan(2)
    for (const { item, button } of named) {
      const words = item.items === undefined ? item : item.items[0]!
      expect(words.options_from).toBeDefined()
      expect(addWord(words.text, item.items !== undefined)).toBe(button)
    }
  })
})

describe('The place of an item on the page', () => {
  it('has an id that can stand in a selector, another for each pointer', () => {
    expect(idOf('/answers/1.1')).toMatch(/^[A-Za-z][A-Za-z0-9_-]*$/)
    expect(idOf('/answers/1.1')).not.toBe(idOf('/answers/11'))
    expect(idOf('/answers/a~1b')).not.toBe(idOf('/answers/a/b'))
  })

  it('shows the numbers of the paper alone', () => {
    expect(paperNumber('1.10')).toBe('1.10')
    expect(paperNumber('1.1.problem')).toBeUndefined()
  })

  it('joins a text to the question that it belongs to, and no other number', () => {
    expect(belongsTo('1.1.problem', '1.1')).toBe(true)
    expect(belongsTo('1.10', '1.1')).toBe(false)
    expect(belongsTo('1.1.1', '1.1')).toBe(false)
    expect(belongsTo('1.2', undefined)).toBe(false)
  })
})

describe('Notes in a photo', () => {
  const jpeg = Uint8Array.from([0xff, 0xd8, 0xff, 0xdb, 1, 2, 3])
  const takenAt = Date.UTC(2026, 10, 20, 1, 30, 5)

  it('stand behind the start of the JPEG, and the picture follows unchanged', () => {
    const noted = withNotes(jpeg, { takenAt, place: null })
    expect([...noted.slice(0, 4)]).toEqual([0xff, 0xd8, 0xff, 0xe1])
    const length = (noted[4]! << 8) | noted[5]!
    expect([...noted.slice(4 + length)]).toEqual([0xff, 0xdb, 1, 2, 3])
    expect(String.fromCharCode(...noted)).toContain('2026:11:20 09:30:05')
  })

  it('are left out of what is no JPEG', () => {
    const png = Uint8Array.from([0x89, 0x50])
    expect(withNotes(png, { takenAt, place: null })).toBe(png)
  })
})
