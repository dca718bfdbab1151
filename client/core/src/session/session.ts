import type { components } from '../api/schema'
import type { Tokens } from '../api/client'
import { fold } from '../forms/text'
import { Listeners } from '../listeners'

export type Me = components['schemas']['Me']

/** Who is signed in, as `POST /sessions` and `POST /sessions/wechat` answer it. */
export type SignedIn = Pick<components['schemas']['SignedIn'], 'token' | 'user'>

export type SessionEvent =
  /** Somebody has signed in, the same person again or another one (`Session.scope` says who). */
  | 'signed-in'
  /** Signed out on purpose. */
  | 'signed-out'
  /** The server no longer takes the token; told once until somebody signs in. Everything stays as it is. */
  | 'sign-in-needed'

/**
 * Who is signed in on this phone (登录). Its token is used for what belongs to this person alone: drafts and waiting
 * records stand under `scope`, and stay there when somebody else signs in.
 */
export class Session implements Tokens {
  private needed = false
  private readonly listeners = new Listeners<SessionEvent>()

  /** As it was left when the app was closed: the phone keeps `current`. */
  constructor(private signedIn?: SignedIn) {}

  /** Who is signed in; also while the token is refused and must be renewed (`signInNeeded`). */
  get current(): SignedIn | undefined {
    return this.signedIn
  }

  get signInNeeded(): boolean {
    return this.needed
  }

  /** Where the data of this person stand in the store, `u/…/`; undefined when nobody is signed in. */
  get scope(): string | undefined {
    return this.signedIn === undefined ? undefined : scopeOf(this.signedIn.user)
  }

  token(): string | undefined {
    return this.signedIn?.token
  }

  /** The token, if that person is signed in and the server has not refused it; what waits is sent with no other. */
  tokenFor(scope: string): string | undefined {
    return this.scope === scope && !this.needed ? this.token() : undefined
  }

  /** After a sign-in by password or WeChat, by whomever. */
  begin({ token, user }: SignedIn): void {
    this.signedIn = { token, user }
    this.needed = false
    this.listeners.tell('signed-in')
  }

  /** Signed out on this phone (the server is told by `DELETE /sessions/current` before); nothing is removed. */
  end(): void {
    this.signedIn = undefined
    this.needed = false
    this.listeners.tell('signed-out')
  }

  refused(token: string): void {
    // A late answer to a token that was renewed meanwhile says nothing.
    if (this.signedIn?.token !== token || this.needed) return
    this.needed = true
    this.listeners.tell('sign-in-needed')
  }

  /** Returns how to stop. */
  watch(listener: (event: SessionEvent) => void): () => void {
    return this.listeners.add(listener)
  }
}

/** Two people who share a user name are two. */
export function scopeOf({ id, operator_name }: Pick<Me, 'id' | 'operator_name'>): string {
  const operator = fold(operator_name ?? '')
  return operator === '' ? `u/${id}/` : `u/${id}~${encodeURIComponent(operator)}/`
}
