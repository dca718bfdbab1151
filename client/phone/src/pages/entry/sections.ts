/** How sections are called and how far they are. */
import type { PlanSection, Progress } from '@gongpin/core'

/** `1 证照与进货管理`; a code that is no number of the paper is not shown. */
export function sectionTitle({ code, title }: PlanSection): string {
  return /^[0-9]+$/.test(code) ? `${code} ${title}` : title
}

/** For a chip, where two words have to do: `1 证照`. */
export function shortTitle({ code, title }: PlanSection): string {
  const short = Array.from(title).length > 4 ? title.split(/[与和、（]/)[0]! : title
  const word = Array.from(short).slice(0, 6).join('')
  return /^[0-9]+$/.test(code) ? `${code} ${word}` : word
}

/** `✓`, `2/3`, with `!1` where problems were found; nothing for what may be left out. */
export function stateWords({ state, required, requiredAnswered, problems }: Progress): string {
  const how = required === 0 ? '' : state === 'done' ? '✓' : `${requiredAnswered}/${required}`
  return [how, problems > 0 ? `!${problems}` : ''].filter(Boolean).join(' ')
}

export function stateMark({ state, problems, required, answered }: Progress): '✓' | '!' | '◐' | '○' {
  if (problems > 0) return '!'
  if (required === 0) return answered > 0 ? '✓' : '○'
  if (state === 'done') return '✓'
  return state === 'partial' ? '◐' : '○'
}

/** One progress of several sections, as of the header. */
export function together(sections: readonly PlanSection[]): Progress {
  const sum = (of: (progress: Progress) => number) => sections.reduce((all, one) => all + of(one.progress), 0)
  const [required, requiredAnswered, answered] = [sum((one) => one.required), sum((one) => one.requiredAnswered), sum((one) => one.answered)]
  return {
    ...{ answered, total: sum((one) => one.total), requiredAnswered, required, problems: sum((one) => one.problems) },
    state: requiredAnswered === required ? 'done' : answered > 0 ? 'partial' : 'empty',
  }
}
