/** Numbers with hyphens (permit numbers, days) in one piece: a browser breaks lines behind each hyphen. */

/** Longer ones (record ids) are wider than a small screen and may break. */
const LONGEST = 24
const NUMBER = /(?:[(（][^()（）\s]{1,4}[)）])?[A-Za-z0-9]+(?:-[A-Za-z0-9]+)+(?: \d{2}:\d{2})?/g

export interface Run {
  text: string
  /** Whether it stands in one line. */
  whole: boolean
}

/** A text in runs; joined they are the text again. */
export function runsOf(text: string): Run[] {
  const runs: Run[] = []
  let from = 0
  for (const found of text.matchAll(NUMBER)) {
    if (found[0].length > LONGEST) continue
    if (found.index > from) runs.push({ text: text.slice(from, found.index), whole: false })
    runs.push({ text: found[0], whole: true })
    from = found.index + found[0].length
  }
  if (from < text.length) runs.push({ text: text.slice(from), whole: false })
  return runs
}
