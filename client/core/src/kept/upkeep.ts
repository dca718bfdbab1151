import type { Api } from '../api/client'
import { Problem, Unreachable } from '../api/problem'
import { type Platform, StorageFull } from '../platform'
import type { Register } from '../register/register'
import type { Session } from '../session/session'
import type { DictionaryName } from './dictionary'
import type { Kept } from './kept'

const HOUR = 3_600_000
const SOON = 5 * 60_000
const DICTIONARIES: DictionaryName[] = ['items', 'test-items']

/** Keeps up to date what a check needs without a network: register, sellers, forms, words, and the key of exports. */
export class Upkeep {
  private stops: (() => void)[] = []
  private cancel: () => void = () => {}
  private running: Promise<void> | undefined
  private doneAt = -Infinity

  constructor(
    private readonly platform: Platform,
    private readonly api: Api,
    private readonly session: Session,
    private readonly kept: Kept,
    private readonly register: Register,
    private readonly scope: string,
  ) {}

  /** At once, every hour, and when a network or a sign-in comes after more than five minutes. */
  start(): void {
    const again = (): void => {
      if (this.platform.clock.now() - this.doneAt > SOON) this.in(0)
    }
    this.stops = [
      this.platform.network.watch((online) => online && again()),
      this.session.watch((event) => event === 'signed-in' && again()),
    ]
    this.in(0)
  }

  async stop(): Promise<void> {
    this.stops.forEach((stop) => stop())
    this.stops = []
    this.cancel()
    await this.running
  }

  /** Once, now; what cannot be had for now is left as it is. */
  now(): Promise<void> {
    this.running ??= this.all().finally(() => (this.running = undefined))
    return this.running
  }

  /** What checks of this product need: its words; to be called when it is chosen (选择产品名称). */
  async prepareProduct(code: string): Promise<void> {
    for (const name of DICTIONARIES) {
      const path = `/api/v1/products/{code}/${name}` as const
      await this.attempt(async () => void (await this.kept.get(path, { code })))
    }
  }

  /** The key to which exports are sealed; undefined where this phone never got it. */
  async exportKey(): Promise<string | undefined> {
    const kept = await this.platform.store.get(this.keyOfExportKey)
    return typeof kept === 'string' ? kept : undefined
  }

  private in(milliseconds: number): void {
    this.cancel()
    if (this.stops.length === 0) return
    this.cancel = this.platform.clock.after(milliseconds, () => void this.now().then(() => this.in(HOUR)))
  }

  private async all(): Promise<void> {
    if (!this.platform.network.online() || this.session.tokenFor(this.scope) === undefined) return
    if (this.session.current?.user.verbs.includes('inspection.write') !== true) return
    const steps = [
      () => this.forms(),
      () => this.kept.renewAll(['/api/v1/forms', '/api/v1/products'], HOUR),
      () => this.register.bringUpToDate(),
      () => this.sellers(),
      () => this.keepExportKey(),
    ]
    for (const step of steps) if (!(await this.attempt(step))) return
    this.doneAt = this.platform.clock.now()
  }

  /** The newest version of every form that is offered, and the products. */
  private async forms(): Promise<void> {
    await this.kept.get('/api/v1/products')
    const { body } = await this.kept.get('/api/v1/forms')
    for (const { code } of body.items) await this.kept.get('/api/v1/forms/{code}', { code })
  }

  /** Sellers without a code (无照), whom the register does not know. */
  private async sellers(): Promise<void> {
    await this.kept.get('/api/v1/suggestions/sellers')
  }

  private async keepExportKey(): Promise<void> {
    const { recipient } = (await this.api.get('/api/v1/outbox-imports/key', {})).body
    await this.platform.store.write([[this.keyOfExportKey, recipient]])
  }

  /** False where the server cannot be reached: the next step would not do better. A refusal or a full phone: the next. */
  private async attempt(step: () => Promise<void>): Promise<boolean> {
    try {
      await step()
      return true
    } catch (error) {
      if (error instanceof Unreachable) return false
      if (error instanceof Problem) return error.status !== 401
      if (error instanceof StorageFull) return true
      throw error
    }
  }

  private get keyOfExportKey(): string {
    return `${this.scope}export-key`
  }
}
