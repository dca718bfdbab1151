/**
 * The cases in `tests/vectors/forms` that the server runs as well (`tests/core/forms/test_vectors.py` says what a case
 * has): the same pointers, codes and sentences in the same order, the same values.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

import { compileForm, type Form, type FormDefinition, type Mode, tokensOf, validate, type WordEntry, type Words } from '../../src/forms'

const ROOT = new URL('../../../../', import.meta.url)
const FOLDER = new URL('tests/vectors/forms/', ROOT)

interface Case {
  name: string
  form: string
  mode: Mode
  today: string
  body: unknown
  expect: {
    faults: [string, string, string?][]
    problems_found: boolean
    values?: unknown
    values_at?: Record<string, unknown>
    absent?: string[]
    dropped?: string[]
    owed?: string[]
    tabs?: (string | null)[]
    warnings?: string[]
  }
}

function json<Content>(url: URL): Content {
  return JSON.parse(readFileSync(url, 'utf8')) as Content
}

function at(values: unknown, path: string): unknown {
  return tokensOf(path).reduce<unknown>((holder, token) => (holder as Record<string, unknown> | undefined)?.[token], values)
}

type Kept = Record<string, { code: string; name: string; parent?: string; detail?: Record<string, unknown> }[]>

/** The `words` of a file. */
function keptWords(kept: Kept): Words {
  const entryOf = (one: Kept[string][number]): WordEntry => ({ code: one.code, name: one.name, detail: one.detail ?? {} })
  return {
    entry(dictionary, code) {
      if (kept[dictionary] === undefined) return undefined
      const found = kept[dictionary].find((one) => one.code === code)
      return found === undefined ? null : entryOf(found)
    },
    rows: (dictionary, parent) => kept[dictionary]?.filter((one) => (one.parent ?? '') === parent).map(entryOf),
  }
}

const forms = new Map<string, Form>()

function formOf(own: Record<string, FormDefinition>, file: string, name: string): Form {
  const key = name in own ? `${file} ${name}` : name
  const definition = own[name] ?? json<FormDefinition>(new URL(`inspection/forms/${name}.json`, ROOT))
  if (!forms.has(key)) forms.set(key, compileForm(definition))
  return forms.get(key)!
}

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.json')).sort()) {
  const vectors = json<{ forms?: Record<string, FormDefinition>; words?: Kept; cases: Case[] }>(new URL(file, FOLDER))
  const words = vectors.words === undefined ? undefined : keptWords(vectors.words)
  describe(file, () => {
    test.each(vectors.cases.map((one) => [one.name, one] as const))('%s', (_, one) => {
      const form = formOf(vectors.forms ?? {}, file, one.form)
      const checked = validate(form, one.body, one.mode, one.today, words)
      const expected = one.expect
      expect(checked.faults.map((fault) => [fault.path, fault.code])).toEqual(
        expected.faults.map(([path, code]) => [path, code]),
      )
      expected.faults.forEach(([path, , message], index) => {
        if (message !== undefined) expect([path, checked.faults[index]?.message]).toEqual([path, message])
      })
      expect(checked.problemsFound).toBe(expected.problems_found)
      if (expected.values !== undefined) expect(checked.values).toEqual(expected.values)
      for (const [path, value] of Object.entries(expected.values_at ?? {})) expect(at(checked.values, path)).toEqual(value)
      for (const path of expected.absent ?? []) expect(at(checked.values, path)).toBeUndefined()
      if (expected.dropped !== undefined) expect([...checked.dropped.keys()]).toEqual(expected.dropped)
      if (expected.owed !== undefined) expect([...checked.owed.keys()]).toEqual(expected.owed)
      if (expected.tabs !== undefined) expect(checked.faults.map((fault) => fault.tab ?? null)).toEqual(expected.tabs)
      if (expected.warnings !== undefined) {
        expect(checked.warnings.map((warning) => warning.code)).toEqual(expected.warnings)
      }
      if (checked.faults.length === 0) {
        const again = validate(form, checked.values, one.mode, one.today, words)
        expect([again.values, again.faults, again.problemsFound]).toEqual([checked.values, [], checked.problemsFound])
      }
    })
  })
}
