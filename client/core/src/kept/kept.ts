import type { Api } from '../api/client'
import { Unreachable } from '../api/problem'
import type { AnswerOf, PathWith } from '../api/types'
import { address } from '../api/client'
import { type Json, type Platform, StorageFull } from '../platform'

/** An answer of the server that is kept on the phone, and how old it is. */
export interface KeptAnswer<Body> {
  body: Body
  /** When the server last said that it holds; milliseconds since 1970. */
  at: number
}

interface Stored {
  body: Json
  etag: string | null
  at: number
}

/** Answers that a check needs without a network, too: form definitions, products, dictionaries; with `ETag` and age. */
export class Kept {
  constructor(
    private readonly platform: Pick<Platform, 'store' | 'clock'>,
    private readonly api: Api,
    private readonly scope: string,
  ) {}

  /** What this phone has, at once; undefined where it never had it. */
  async read<P extends PathWith<'get'>>(
    path: P,
    parts: Parts = {},
  ): Promise<KeptAnswer<AnswerOf<P, 'get'>> | undefined> {
    const stored = await this.stored(address(path, parts))
    return stored && { body: stored.body as AnswerOf<P, 'get'>, at: stored.at }
  }

  /** Asks the server, which answers 304 where nothing has changed. Raises `Problem` and `Unreachable`. */
  async refresh<P extends PathWith<'get'>>(path: P, parts: Parts = {}): Promise<KeptAnswer<AnswerOf<P, 'get'>>> {
    const { body, at } = await this.renew(address(path, parts))
    return { body: body as AnswerOf<P, 'get'>, at }
  }

  /** Asks again for all kept answers below these paths that are older than `maxAge`. Raises `Problem`, `Unreachable`. */
  async renewAll(paths: readonly string[], maxAge: number): Promise<void> {
    for (const path of paths) {
      for (const [key, stored] of await this.platform.store.list(this.key(path))) {
        const { at } = stored as unknown as Stored
        if (this.platform.clock.now() - at >= maxAge) await this.renew(key.slice(this.key('').length))
      }
    }
  }

  /**
   * What this phone has where it is younger than `maxAge` milliseconds, else what the server says, else what this phone
   * has however old it is. Raises `Unreachable` only where it has nothing.
   */
  async get<P extends PathWith<'get'>>(
    path: P,
    parts: Parts = {},
    maxAge = 3_600_000,
  ): Promise<KeptAnswer<AnswerOf<P, 'get'>>> {
    const kept = await this.read(path, parts)
    if (kept !== undefined && this.platform.clock.now() - kept.at < maxAge) return kept
    try {
      return await this.refresh(path, parts)
    } catch (error) {
      if (kept === undefined || !(error instanceof Unreachable)) throw error
      return kept
    }
  }

  private async renew(asked: string): Promise<Stored> {
    const stored = await this.stored(asked)
    const answer = await this.api.send('GET', asked, { etag: stored?.etag ?? undefined })
    const unchanged = answer.status === 304 && stored !== undefined
    const next: Stored = {
      body: unchanged ? stored.body : answer.body!,
      etag: answer.etag ?? (unchanged ? stored.etag : null),
      at: this.platform.clock.now(),
    }
    await this.platform.store.write([[this.key(asked), next as unknown as Json]]).catch((error: unknown) => {
      // Without room for it the answer is good all the same.
      if (!(error instanceof StorageFull)) throw error
    })
    return next
  }

  private async stored(asked: string): Promise<Stored | undefined> {
    return (await this.platform.store.get(this.key(asked))) as unknown as Stored | undefined
  }

  private key(asked: string): string {
    return `${this.scope}kept${asked}`
  }
}

type Parts = Readonly<Record<string, string | number>>
