/**
 * How a kind of filing stands on its tile. Titles that differ only in brackets (自查表（生产企业填报）, 自查表（销售经营者填报）) have
 * what tells them apart as line and mark.
 */
export function tileWords(title: string): { title: string; lines: string[]; mark: string } {
  const [, name, which] = /^(.+)（(.+)）$/.exec(title) ?? []
  if (name === undefined || which === undefined) return { title, lines: [], mark: title.slice(0, 1) }
  return { title: name, lines: [which], mark: which.slice(0, 1) }
}
