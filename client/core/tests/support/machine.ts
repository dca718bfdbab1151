import {
  type Files,
  type Json,
  type Locks,
  type Platform,
  type Store,
  StorageFull,
  type Transport,
} from '../../src/platform'

/** The process was killed at this write. */
export class Killed extends Error {}

const NEVER = new Promise<never>(() => {})

/**
 * A phone in memory. Its disk outlives its processes: `start` begins one (a tab, or the app after a crash), which can be
 * killed after any number of writes; what it then awaits never comes.
 */
export class Machine {
  readonly disk = new Map<string, string>()
  readonly bytes = new Map<string, Uint8Array>()
  /** Bytes for values and files together. */
  limit = Infinity
  /** Whether several keys are written at once (IndexedDB) or one by one (files of a mini-program). */
  atomic = true
  online = true
  time = Date.parse('2026-11-30T01:00:00Z')
  private readonly queues = new Map<string, Promise<unknown>>()
  private readonly processes = new Set<Process>()

  start(transport: Transport): Process {
    const process: Process = new Process(this, transport)
    this.processes.add(process)
    return process
  }

  get used(): number {
    let sum = 0
    this.disk.forEach((value, key) => (sum += key.length + value.length))
    this.bytes.forEach((value) => (sum += value.length))
    return sum
  }

  /** The network goes or comes, and every process is told. */
  setOnline(online: boolean): void {
    this.online = online
    this.processes.forEach((process) => process.networkListeners.forEach((listener) => listener(online)))
  }

  /** Lets time pass, and runs the timers that it passes. */
  async pass(milliseconds: number): Promise<void> {
    const until = this.time + milliseconds
    for (;;) {
      const due = [...this.processes].flatMap((process) => process.timers).filter((timer) => timer.at <= until)
      const next = due.sort((one, other) => one.at - other.at)[0]
      if (next === undefined) break
      this.time = Math.max(this.time, next.at)
      this.processes.forEach((process) => process.drop(next))
      next.run()
      await settle()
    }
    this.time = until
    await settle()
  }

  exclusively<T>(process: Process, name: string, work: () => Promise<T>): Promise<T> {
    const before = this.queues.get(name) ?? Promise.resolve()
    // A killed process gives its turn back.
    const turn = before.then(() => (process.isKilled ? NEVER : work()))
    this.queues.set(name, Promise.race([turn, process.killed]).then(noop, noop))
    return turn
  }

  told(keys: string[], by: Process): void {
    this.processes.forEach((process) => {
      if (process !== by && !process.isKilled) process.storeListeners.forEach((listener) => listener(keys))
    })
  }

  left(process: Process): void {
    this.processes.delete(process)
  }
}

interface Timer {
  at: number
  run: () => void
}

export class Process {
  readonly timers: Timer[] = []
  readonly networkListeners = new Set<(online: boolean) => void>()
  readonly storeListeners = new Set<(keys: string[]) => void>()
  /** Resolves when it is killed. */
  readonly killed: Promise<void>
  isKilled = false
  writes = 0
  /** How many values were read from the store. */
  values = 0
  readonly platform: Platform
  private readonly resolveKilled: () => void
  private killAfter = Infinity

  constructor(
    readonly machine: Machine,
    transport: Transport,
  ) {
    let resolve = noop
    this.killed = new Promise((settle) => (resolve = settle))
    this.resolveKilled = resolve
    this.platform = {
      transport: {
        request: (request) => this.alive(() => transport.request(request)),
        upload: (request) => this.alive(() => transport.upload(request)),
      },
      store: this.store(),
      files: this.files(),
      locks: this.locks(),
      network: {
        online: () => machine.online,
        watch: (listener) => {
          this.networkListeners.add(listener)
          return () => this.networkListeners.delete(listener)
        },
      },
      clock: {
        now: () => machine.time,
        after: (milliseconds, run) => {
          const timer = { at: machine.time + milliseconds, run }
          this.timers.push(timer)
          return () => this.drop(timer)
        },
      },
      randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
    }
  }

  /** Kills it right after so many more writes have reached the disk. */
  killAfterWrites(count: number): void {
    this.killAfter = this.writes + count
  }

  drop(timer: Timer): void {
    if (this.timers.includes(timer)) this.timers.splice(this.timers.indexOf(timer), 1)
  }

  kill(): void {
    this.isKilled = true
    this.timers.length = 0
    this.machine.left(this)
    this.resolveKilled()
  }

  private async alive<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.isKilled) return NEVER
    await Promise.resolve()
    const done = await work()
    return this.isKilled ? NEVER : done
  }

  private wrote(): void {
    this.writes += 1
    if (this.writes >= this.killAfter) this.kill()
  }

  private read(key: string): Json | undefined {
    this.values += 1
    return parsed(this.machine.disk.get(key))
  }

  private store(): Store {
    const { disk } = this.machine
    const list = (prefix: string) => [...disk.keys()].filter((key) => key.startsWith(prefix)).sort()
    return {
      get: (key) => this.alive(() => this.read(key)),
      keys: (prefix) => this.alive(() => list(prefix)),
      list: (prefix) => this.alive(() => list(prefix).map((key) => [key, this.read(key)!])),
      write: (changes) =>
        this.alive(() => {
          const more = changes.reduce(
            (sum, [key, value]) => sum + size(key, value) - size(key, parsed(disk.get(key))),
            0,
          )
          if (more > 0 && this.machine.used + more > this.machine.limit) throw new StorageFull()
          for (const [key, value] of changes) {
            if (value === undefined) disk.delete(key)
            else disk.set(key, JSON.stringify(value))
            if (!this.machine.atomic) this.wrote()
            if (this.isKilled) return NEVER
          }
          if (this.machine.atomic) this.wrote()
          this.machine.told(
            changes.map(([key]) => key),
            this,
          )
        }),
      watch: (listener) => {
        this.storeListeners.add(listener)
        return () => this.storeListeners.delete(listener)
      },
    }
  }

  private files(): Files {
    const { bytes, machine } = { bytes: this.machine.bytes, machine: this.machine }
    return {
      put: (id, content) =>
        this.alive(() => {
          if (machine.used + content.length > machine.limit) throw new StorageFull()
          bytes.set(id, content.slice())
          this.wrote()
        }),
      get: (id) => this.alive(() => bytes.get(id)),
      size: (id) => this.alive(() => bytes.get(id)?.length),
      remove: (id) =>
        this.alive(() => {
          bytes.delete(id)
          this.wrote()
        }),
      url: (id) => this.alive(() => (bytes.has(id) ? `memory:${id}` : undefined)),
      ids: () => this.alive(() => [...bytes.keys()]),
      room: () => this.alive(() => ({ used: machine.used, limit: machine.limit })),
    }
  }

  private locks(): Locks {
    return { exclusively: (name, work) => this.machine.exclusively(this, name, work) }
  }
}

/** Until nothing that only waits for memory is left to do. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

function parsed(text: string | undefined): Json | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as Json)
}

function size(key: string, value: Json | undefined): number {
  return value === undefined ? 0 : key.length + JSON.stringify(value).length
}

function noop(): void {}
