/**
 * Whether a remark may be offered at another enterprise: not where it names this one, or holds figures (days, amounts,
 * numbers), which are true of one enterprise alone.
 */
export function isPhrase(text: string, organisation: string): boolean {
  const name = organisation.trim()
  return !/[0-9０-９]/.test(text) && (name === '' || !text.includes(name))
}
