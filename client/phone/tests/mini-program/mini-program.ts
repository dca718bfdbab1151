/**
 * The built mini-program (`dist/build/mp-weixin`) running in Node: WeChat's own template compiler and component system
 * (miniprogram-simulate, j-component, miniprogram-exparser) show its pages in jsdom. uni-app makes a page by `Component`,
 * so pages are mounted like components; their stack and life (`onLoad`, `onShow`, …), which miniprogram-simulate has
 * not, stand here.
 */
import { createRequire } from 'node:module'
import { join, sep } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { JSDOM } from 'jsdom'

import { type Definition, noBoxes, withReady } from './gaps'
import type { WeChatPhone } from './wechat'

const require = createRequire(import.meta.url)

type Hook = (argument?: unknown) => unknown
interface Instance extends Record<string, unknown> {
  route: string
}
interface Mounted {
  instance: Instance
  attach(parent: Element): void
  detach(): void
  triggerPageLifeTime(name: string): void
}
interface Shown {
  url: string
  box: HTMLElement
  component: Mounted
}
interface Simulator {
  load(path: string, tag: string, options: object): string
  render(id: string): Mounted
}
interface Exparser {
  Event: { create(name: string, detail: object, options: object): object; dispatchEvent(target: object, event: object): void }
}

const globals = globalThis as unknown as Record<string, unknown>
const PATIENCE = 30_000

let simulator: Simulator | undefined
let exparser: Exparser
let unknownCalls: Record<string, unknown>

/** jsdom and the simulator are made once a process, for both live in globals. */
function prepare(): Simulator {
  if (simulator !== undefined) return simulator
  const { window } = new JSDOM('<!doctype html><body></body>', { pretendToBeVisual: true })
  Object.assign(globals, { window, document: window.document })
  for (const name of ['Element', 'Node', 'HTMLElement', 'CustomEvent', 'TouchEvent']) {
    globals[name] = (window as unknown as Record<string, unknown>)[name]
  }
  simulator = require('miniprogram-simulate') as Simulator
  exparser = require('miniprogram-exparser') as Exparser
  unknownCalls = { ...(globals['wx'] as object) }
  globals['Component'] = withReady(globals['Component'] as (options: Definition) => void)
  return simulator
}

/** One phone's mini-program: launched, used as a person does (by words on the screen), closed, launched again. */
export class MiniProgram {
  /** What the program wrote to the console as an error, and what it did not catch. */
  readonly errors: unknown[] = []
  private pages: Shown[] = []
  private launch = 0
  private endTimers: () => void = () => undefined

  /** `root`: the build, in a folder whose files are CommonJS. */
  constructor(
    private readonly root: string,
    private readonly phone: WeChatPhone,
  ) {}

  /** Opens the program as from WeChat's list, at its first page. */
  open(): void {
    prepare()
    const mine = (this.launch += 1)
    const alive = () => this.launch === mine
    this.endTimers = trackTimers()
    console.error = (...told: unknown[]) => this.errors.push(told.join(' '))
    let app: Record<string, Hook> = {}
    Object.assign(globals, {
      App: (options: Record<string, Hook>) => (app = options),
      // uni-app lays its hand on it, and then makes pages by `Component`.
      Page: () => undefined,
      getApp: () => app,
      getCurrentPages: () => this.pages.map(({ component }) => component.instance),
      wx: { ...unknownCalls, createSelectorQuery: noBoxes, onAppShow: () => undefined, ...this.phone.launched(alive), ...this.navigation(alive) },
    })
    require(join(this.root, 'app.js'))
    app['onLaunch']?.({ path: '', query: {}, scene: 1001 })
    app['onShow']?.({ path: '', query: {}, scene: 1001 })
    const { pages } = require(join(this.root, 'app.json')) as { pages: [string] }
    this.show(`/${pages[0]}`)
  }

  /** Ends it at this moment, as WeChat or the person does: nothing that was under way goes on. */
  close(): void {
    this.launch += 1
    this.endTimers()
    for (const { box } of this.pages) box.remove()
    this.pages = []
    for (const path of Object.keys(require.cache)) {
      if (path.startsWith(this.root + sep)) delete require.cache[path]
    }
  }

  /** Opens a page over this one, as a link inside the program does. */
  go(url: string): void {
    this.show(url)
  }

  /** Route and query of the page on top. */
  get url(): string {
    return this.pages.at(-1)?.url ?? ''
  }

  /** The words on the screen. */
  get text(): string {
    return wordsOf(this.screen)
  }

  /** Waits until `condition` holds or these words are on the screen. */
  async until(condition: string | (() => boolean)): Promise<void> {
    const holds = typeof condition === 'string' ? () => this.text.includes(condition) : condition
    const deadline = Date.now() + PATIENCE
    while (!holds()) {
      if (Date.now() > deadline) {
        throw new Error(`waited for ${condition}\nat ${this.url}\n${this.text}\n${this.errors.join('\n')}`)
      }
      await sleep(20)
    }
  }

  /** Taps what bears these words, and no others if there is such a thing, near `near` where that is given. */
  async tap(words: string, near?: string): Promise<void> {
    const find = () =>
      this.find('*', (one) => isTappable(one) && wordsOf(one).replace(/^✓ ?/, '') === words, near) ??
      this.find('*', (one) => isTappable(one) && wordsOf(one).includes(words), near)
    await this.until(() => find() !== undefined)
    emit(find()!, 'tap', {})
    await sleep(0)
  }

  /** Types into the field that is labelled so, and leaves it. */
  async type(label: string, value: string): Promise<void> {
    const find = () => this.find('wx-input, wx-textarea', () => true, label)
    await this.until(() => find() !== undefined)
    emit(find()!, 'input', { value, cursor: value.length })
    await sleep(0)
    emit(find()!, 'blur', { value })
    await sleep(0)
  }

  /** Whether these words are on the screen. */
  shows(words: string): boolean {
    return this.text.includes(words)
  }

  private get screen(): Element {
    const page = this.pages.at(-1)
    if (page === undefined) throw new Error('the mini-program is closed')
    return page.box
  }

  private find(selector: string, matches: (one: Element) => boolean, near?: string): Element | undefined {
    const inside = (box: Element) => [...box.querySelectorAll(selector)].find(matches)
    if (near === undefined) return inside(this.screen)
    // A label says nothing but these words, or begins with them; a sentence may hold them too.
    const bearers = [
      (one: Element) => wordsOf(one) === near,
      (one: Element) => wordsOf(one).startsWith(near),
      (one: Element) => wordsOf(one).includes(near),
    ]
    const all = [...this.screen.querySelectorAll('*')]
    const innermost = bearers.map((bears) => all.find((one) => bears(one) && ![...one.children].some(bears))).find(Boolean)
    for (let box = innermost ?? null; box !== null && this.screen.contains(box); box = box.parentElement) {
      const found = inside(box)
      if (found !== undefined) return found
    }
    return undefined
  }

  private navigation(alive: () => boolean) {
    const move = (work: (url: string, delta: number) => void) => (asked: { url?: string; delta?: number; success?: Hook }) => {
      setTimeout(() => {
        if (!alive()) return
        work(asked.url ?? '', asked.delta ?? 1)
        asked.success?.({ errMsg: 'ok' })
      })
    }
    const back = (count: number) => this.pages.splice(Math.max(1, this.pages.length - count)).forEach(leave)
    return {
      navigateTo: move((url) => this.show(url)),
      redirectTo: move((url) => {
        leave(this.pages.pop()!)
        this.show(url)
      }),
      reLaunch: move((url) => {
        this.pages.splice(0).forEach(leave)
        this.show(url)
      }),
      switchTab: move((url) => {
        this.pages.splice(0).forEach(leave)
        this.show(url)
      }),
      navigateBack: move((_, delta) => {
        back(delta)
        call(this.pages.at(-1), 'onShow')
      }),
    }
  }

  private show(url: string): void {
    const [path = '', query = ''] = url.replace(/^\//, '').split('?')
    call(this.pages.at(-1), 'onHide')
    const id = prepare().load(join(this.root, path), 'page', { compiler: 'official', rootPath: this.root })
    const component = prepare().render(id)
    component.instance.route = path
    const box = document.body.appendChild(document.createElement('div'))
    const page: Shown = { url, box, component }
    this.pages.push(page)
    component.attach(box)
    // WeChat gives the query as it stands in the address.
    const pairs = query.split('&').filter(Boolean).map((pair) => pair.split('=') as [string, string])
    call(page, 'onLoad', Object.fromEntries(pairs))
    call(page, 'onShow')
  }
}

function call(page: Shown | undefined, hook: string, argument?: unknown): void {
  if (page === undefined) return
  ;(page.component.instance[hook] as Hook | undefined)?.call(page.component.instance, argument)
  if (hook === 'onShow' || hook === 'onHide') page.component.triggerPageLifeTime(hook.slice(2).toLowerCase())
}

function leave(page: Shown): void {
  call(page, 'onUnload')
  page.component.detach()
  page.box.remove()
}

function emit(element: Element, name: string, detail: object): void {
  const target = (element as unknown as { __wxElement: object }).__wxElement
  const options = { bubbles: name === 'tap', composed: name === 'tap', capturePhase: true }
  exparser.Event.dispatchEvent(target, exparser.Event.create(name, detail, options))
}

/** Whether the template binds a tap to this very element. */
function isTappable(element: Element): boolean {
  const { __wxElement: node } = element as unknown as { __wxElement?: { _vt?: { event?: { tap?: unknown } } } }
  return node?._vt?.event?.tap !== undefined
}

function wordsOf(element: Element): string {
  return (element.textContent ?? '').replace(/\s+/g, ' ').trim()
}

/** From now on timers that are set can be ended together; returns how, which also gives the old ones back. */
function trackTimers(): () => void {
  const { setTimeout: real, setInterval: realInterval } = globalThis
  const set = new Set<ReturnType<typeof setTimeout>>()
  const tracked = (timer: ReturnType<typeof setTimeout>) => {
    set.add(timer)
    return timer
  }
  globals['setTimeout'] = (...given: Parameters<typeof setTimeout>) => tracked(real(...given))
  globals['setInterval'] = (...given: Parameters<typeof setInterval>) => tracked(realInterval(...given))
  return () => {
    for (const timer of set) clearTimeout(timer)
    Object.assign(globals, { setTimeout: real, setInterval: realInterval })
  }
}
