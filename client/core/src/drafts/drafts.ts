import type { Api } from '../api/client'
import type { Attachments } from '../attachments/attachments'
import { newId } from '../ids'
import { Listeners } from '../listeners'
import type { Json, Platform } from '../platform'
import { bodyOf, merged } from './conflict'
import { type Body, type Draft, draftKey, type Filled, type RecordType } from './draft'

/** A draft that the server has and this phone has not: begun on another phone, or before the app was removed. */
export interface DraftElsewhere {
  id: string
  recordType: RecordType
  title: string | null
  /** `production`, `sales`, `spot_check`. */
  kind: string
  productCode: string
  /** RFC 3339. */
  updatedAt: string
}

/** Everything that is typed and not submitted yet (信息暂存), of one person: each change is on the disk at once. */
export class Drafts {
  private readonly listeners = new Listeners<Draft>()

  constructor(
    private readonly platform: Platform,
    private readonly api: Api,
    private readonly attachments: Attachments,
    private readonly scope: string,
  ) {}

  /** Those that are not deleted, the one that was changed last first. */
  async list(): Promise<Draft[]> {
    const drafts = (await this.all()).filter((draft) => !draft.removed)
    return drafts.sort((one, other) => other.changedAt - one.changedAt)
  }

  async get(id: string): Promise<Draft | undefined> {
    const draft = await this.read(id)
    return draft?.removed === true ? undefined : draft
  }

  /** Begins a draft under an id of its own. Rejects with `StorageFull`. */
  async create(recordType: RecordType, body: Body, filled: Filled | null = null): Promise<Draft> {
    const now = this.platform.clock.now()
    const draft: Draft = {
      ...{ id: newId(this.platform), recordType, body, filled, createdAt: now, changedAt: now },
      ...{
        server: null,
        unanswered: null,
        problem: null,
        refused: null,
        conflict: null,
        removed: false,
        takenBackFrom: null,
      },
    }
    await this.update(draft.id, () => draft)
    return draft
  }

  /**
   * Applies an edit to the body as it is stored, so that two tabs keep what each of them typed. Rejects with
   * `StorageFull`; undefined where the draft is gone (submitted or deleted).
   */
  change(id: string, edit: (body: Body) => Body, filled?: Filled): Promise<Draft | undefined> {
    return this.update(id, (draft) =>
      draft === undefined || draft.removed
        ? draft
        : {
            ...draft,
            body: edit(draft.body),
            filled: filled ?? draft.filled,
            changedAt: this.platform.clock.now(),
          },
    )
  }

  /** Deletes a draft (删除) with its files; the server is told as soon as it answers. */
  async remove(id: string): Promise<void> {
    await this.update(id, (draft) => draft && { ...draft, removed: true })
  }

  /** Settles a conflict, field by field: by path, whose value stays; without a choice, what the conflict suggests. */
  resolve(id: string, choices: { readonly [path: string]: 'mine' | 'theirs' }): Promise<Draft | undefined> {
    return this.update(id, (draft) => {
      if (draft === undefined || draft.conflict === null) return draft
      const { conflict } = draft
      const now = this.platform.clock.now()
      return {
        ...draft,
        body: merged(draft.body, conflict, choices),
        server: { version: conflict.version, body: conflict.theirs, at: now },
        conflict: null,
        changedAt: now,
      }
    })
  }

  /** Drafts of this person that only the server has, newest first, at most 100 of each type. */
  async elsewhere(): Promise<DraftElsewhere[]> {
    const query = { status: 'draft', page_size: 100 } as const
    const [checks, spotChecks] = await Promise.all([
      this.api.get('/api/v1/inspections', { query }),
      this.api.get('/api/v1/spot-checks', { query }),
    ])
    const here = new Set(await this.platform.store.keys(this.scope).then((keys) => keys.map(lastPart)))
    const waiting = (await this.platform.store.list(`${this.scope}out/`)).map(([, entry]) => (entry as Body)['id'])
    return [
      ...checks.body.items.map((row) => ({ row, recordType: 'inspections' as const })),
      ...spotChecks.body.items.map((row) => ({ row, recordType: 'spot-checks' as const })),
    ]
      .filter(({ row }) => !here.has(row.id) && !waiting.includes(row.id))
      .map(({ row, recordType }) => ({
        ...{ id: row.id, recordType, title: row.org_name, kind: row.kind },
        ...{ productCode: row.product_code, updatedAt: row.updated_at },
      }))
      .sort((one, other) => (one.updatedAt < other.updatedAt ? 1 : -1))
  }

  /** Brings a draft from the server to this phone, to go on with it (继续填报); the one of this phone if there is one. */
  async fetch(recordType: RecordType, id: string): Promise<Draft> {
    const record = (await this.api.send('GET', recordPath(recordType, id))).body as Body
    const now = this.platform.clock.now()
    const body = bodyOf(record)
    const fetched: Draft = {
      ...{ id, recordType, body, filled: null, createdAt: now, changedAt: now, removed: false },
      server: { version: Number(record['version']), body, at: now },
      ...{ unanswered: null, problem: null, refused: null, conflict: null, takenBackFrom: null },
    }
    return (await this.update(id, (draft) => draft ?? fetched)) ?? fetched
  }

  /** Called with each draft that was changed, by the user or by an answer of the server. Returns how to stop. */
  watch(listener: (draft: Draft) => void): () => void {
    return this.listeners.add(listener)
  }

  /** Also those that are deleted here, and not yet on the server. */
  async all(): Promise<Draft[]> {
    return (await this.platform.store.list(draftKey(this.scope, ''))).map(([, draft]) => draft as unknown as Draft)
  }

  async read(id: string): Promise<Draft | undefined> {
    return (await this.platform.store.get(draftKey(this.scope, id))) as unknown as Draft | undefined
  }

  /** Reads, edits and stores a draft as one step; unchanged where `edit` answers the same, or undefined. */
  update(id: string, edit: (draft: Draft | undefined) => Draft | undefined): Promise<Draft | undefined> {
    return this.platform.locks.exclusively(entriesLock(this.scope), async () => {
      const before = await this.read(id)
      const after = edit(before)
      if (after === undefined || after === before) return after
      await this.platform.store.write([[draftKey(this.scope, id), after as unknown as Json]])
      this.listeners.tell(after)
      return after
    })
  }

  /** Forgets a draft of which the server knows that it is deleted, and its files. */
  async forget(draft: Draft, files: readonly string[]): Promise<void> {
    await this.platform.store.write([[draftKey(this.scope, draft.id), undefined]])
    await this.attachments.remove(files)
  }
}

/** Drafts become waiting records and come back: one lock for both. */
export function entriesLock(scope: string): string {
  return `${scope}entries`
}

export function recordPath(recordType: RecordType, id: string): string {
  return `/api/v1/${recordType}/${id}`
}

function lastPart(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1)
}
