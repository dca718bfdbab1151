import type { Api } from '../api/client'
import { Problem } from '../api/problem'
import type { components } from '../api/schema'
import { fold } from '../forms/text'
import { type Json, type Platform } from '../platform'

/** An enterprise of the own regions as this phone keeps it. */
export type KeptEnterprise = components['schemas']['KeptEnterprise']
/** The last record of a kind and product about an enterprise. */
export type LastVisit = components['schemas']['LastVisit']
type Page = components['schemas']['RegisterChanges']

/** How far the register is. `building` is a list from scratch, which takes the place of the other when it is whole. */
interface Mark {
  live: { list: number; after: string; at: number } | null
  building: { list: number; after: string } | null
}

/** What a search finds, and in all how many match. */
export interface Found {
  items: KeptEnterprise[]
  total: number
}

const BUCKETS = 64
const SHORTEST = 2

/** The register of enterprises on this phone (手机名录): brought up to date by difference, searched without a network. */
export class Register {
  /** By code; undefined until it was read from the store. */
  private loaded: Promise<Map<string, KeptEnterprise>> | undefined
  private folded: { name: string; one: KeptEnterprise }[] | undefined

  constructor(
    private readonly platform: Pick<Platform, 'store' | 'clock' | 'locks'>,
    private readonly api: Api,
    private readonly scope: string,
  ) {}

  /**
   * Asks the server page by page for what has changed; every page that came is kept. Raises `Problem`, `Unreachable`,
   * `StorageFull`; the next call goes on where this one stopped.
   */
  async bringUpToDate(): Promise<void> {
    await this.platform.locks.exclusively(`${this.scope}register`, async () => {
      for (let more = true; more;) {
        const mark = await this.mark()
        const page = await this.page((mark.building ?? mark.live)?.after)
        await this.keep(mark, page)
        more = page.more
      }
    })
  }

  /** When it was brought up to date last (企业名录为今天 07:40 的); undefined while it is not whole. */
  async updatedAt(): Promise<number | undefined> {
    return (await this.mark()).live?.at
  }

  async size(): Promise<number> {
    return (await this.load()).size
  }

  /** By the 18-digit code, in any case. */
  async get(uscc: string): Promise<KeptEnterprise | undefined> {
    return (await this.load()).get(uscc.trim().toUpperCase())
  }

  /**
   * By a fragment of the name, a former name or the code, from two characters on; those that begin with it come first.
   * `productCode`: only those planned for it.
   */
  async search(
    typed: string,
    { productCode, limit = 20 }: { productCode?: string; limit?: number } = {},
  ): Promise<Found> {
    const wanted = fold(typed)
    if ([...wanted].length < SHORTEST) return { items: [], total: 0 }
    await this.load()
    const hits = this.folded!.filter(
      ({ name, one }) =>
        (name.includes(wanted) || one.uscc.toLowerCase().includes(wanted)) &&
        (productCode === undefined || (one.product_codes as readonly string[]).includes(productCode)),
    )
    const begins = ({ name, one }: (typeof hits)[number]) =>
      name.startsWith(wanted) || one.uscc.toLowerCase().startsWith(wanted)
    const sorted = [...hits.filter(begins), ...hits.filter((hit) => !begins(hit))]
    return { items: sorted.slice(0, limit).map(({ one }) => one), total: hits.length }
  }

  /** Reads the register anew, as when another tab has brought it up to date. */
  forgetLoaded(): void {
    this.loaded = undefined
  }

  private async page(after: string | undefined): Promise<Page> {
    try {
      const query = after === undefined ? {} : { after }
      return (await this.api.get('/api/v1/enterprises/changes', { query, timeout: 60_000 })).body
    } catch (error) {
      // A mark that the server does not know, as after it was restored from a backup: all from scratch.
      if (!(error instanceof Problem) || error.status !== 422 || after === undefined) throw error
      return { ...(await this.page(undefined)), reset: true }
    }
  }

  private load(): Promise<Map<string, KeptEnterprise>> {
    this.loaded ??= this.readAll()
    return this.loaded
  }

  private async readAll(): Promise<Map<string, KeptEnterprise>> {
    const { live, building } = await this.mark()
    // The first list is of use before it is whole.
    const list = live?.list ?? building?.list
    const buckets = list === undefined ? [] : await this.platform.store.list(this.bucketPrefix(list))
    const all = buckets.flatMap(([, bucket]) => Object.values(bucket as unknown as Bucket))
    // Former names are searched too: a sign outside may bear one.
    this.folded = all.map((one) => ({ name: [one.name, ...one.former_names].map(fold).join('\n'), one }))
    return new Map(all.map((one) => [one.uscc, one]))
  }

  private async keep(mark: Mark, page: Page): Promise<void> {
    const { store, clock } = this.platform
    const goesOn = page.reset ? null : (mark.building ?? mark.live)
    const list = goesOn?.list ?? (mark.building ?? mark.live)?.list ?? 0
    // A list from scratch gets a number of its own, so that the former one is searched until this one is whole.
    const number = goesOn === null ? list + 1 : list
    const changes: [string, Json | undefined][] = []
    for (const [bucket, codes] of byBucket([...page.items.map((one) => one.uscc), ...page.gone])) {
      const key = this.bucketPrefix(number) + bucket
      const kept = { ...((await store.get(key)) as unknown as Bucket | undefined) }
      page.gone.filter((code) => codes.has(code)).forEach((code) => delete kept[code])
      page.items.filter((one) => codes.has(one.uscc)).forEach((one) => (kept[one.uscc] = one))
      changes.push([key, kept as unknown as Json])
    }
    const isLive = mark.live?.list === number
    const next: Mark =
      page.more && !isLive
        ? { live: mark.live, building: { list: number, after: page.next_after } }
        : {
            live: { list: number, after: page.next_after, at: page.more ? mark.live!.at : clock.now() },
            building: null,
          }
    // The mark last: a page that was kept in part is asked for again.
    changes.push([this.markKey(), next as unknown as Json])
    await store.write(changes)
    this.loaded = undefined
    const needed = [next.live?.list, next.building?.list]
      .filter((one) => one !== undefined)
      .map((one) => this.bucketPrefix(one!))
    const old = (await store.keys(`${this.scope}register/list/`)).filter(
      (key) => !needed.some((prefix) => key.startsWith(prefix)),
    )
    if (old.length > 0) await store.write(old.map((key) => [key, undefined]))
  }

  private async mark(): Promise<Mark> {
    const stored = (await this.platform.store.get(this.markKey())) as unknown as Mark | undefined
    return stored ?? { live: null, building: null }
  }

  private markKey(): string {
    return `${this.scope}register/mark`
  }

  private bucketPrefix(list: number): string {
    return `${this.scope}register/list/${list}/`
  }
}

type Bucket = { [uscc: string]: KeptEnterprise }

/** Enterprises stand together in a few dozen values: one each would be slow to read, one for all slow to change. */
function byBucket(codes: readonly string[]): Map<string, Set<string>> {
  const buckets = new Map<string, Set<string>>()
  for (const code of codes) {
    let sum = 0
    for (let place = 0; place < code.length; place += 1) sum = (sum * 31 + code.charCodeAt(place)) % 65_521
    const name = String(sum % BUCKETS).padStart(2, '0')
    buckets.set(name, (buckets.get(name) ?? new Set()).add(code))
  }
  return buckets
}
