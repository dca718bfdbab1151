/** What the generated document says of a call, as types: paths by method, parameters, body, answer. */

import type { paths } from './schema'

type Verb = 'get' | 'post' | 'put' | 'delete'

/** The operation of a path and method, or never. */
type Operation<P extends keyof paths, M extends Verb> =
  paths[P] extends Record<M, infer Found> ? Exclude<Found, undefined> : never

/** The paths that have a method. */
export type PathWith<M extends Verb> = {
  [P in keyof paths]: [Operation<P, M>] extends [never] ? never : P
}[keyof paths]

type Content<T> = T extends { content: infer Types } ? Types : never
type JsonOf<Types> = Types extends { 'application/json': infer Body } ? Body : never

/** The body of a call as JSON; never where it takes none. */
export type BodyOf<P extends keyof paths, M extends Verb> =
  Operation<P, M> extends { requestBody?: infer Body } ? JsonOf<Content<Exclude<Body, undefined>>> : never

type Responses<P extends keyof paths, M extends Verb> = Operation<P, M> extends { responses: infer All } ? All : never
type Success = 200 | 201 | 202

/** The JSON of a successful answer. */
export type AnswerOf<P extends keyof paths, M extends Verb> = {
  [S in keyof Responses<P, M>]: S extends Success ? JsonOf<Content<Responses<P, M>[S]>> : never
}[keyof Responses<P, M>]

type Parameters_<P extends keyof paths, M extends Verb> =
  Operation<P, M> extends { parameters: infer All } ? All : never
type Named<All, Place extends string> = All extends { [K in Place]?: infer Found } ? Exclude<Found, undefined> : never

/** The parts of the path: `{ record_id: string }`. */
export type PathParts<P extends keyof paths, M extends Verb> = Named<Parameters_<P, M>, 'path'>
/** The parameters behind `?`. */
export type QueryOf<P extends keyof paths, M extends Verb> = Named<Parameters_<P, M>, 'query'>

type Part<Name extends string, Value, Needed> = [Value] extends [never]
  ? unknown
  : Needed extends true
    ? { [K in Name]: Value }
    : { [K in Name]?: Value }

/** What a call is given besides its path. */
export type Options<P extends keyof paths, M extends Verb> = Part<'path', PathParts<P, M>, true> &
  Part<'query', QueryOf<P, M>, false> &
  Part<'body', BodyOf<P, M>, true> & {
    /** Milliseconds; 15 000 by default. */
    timeout?: number
    /** Of a kept answer: 304 without a body where it still holds. */
    etag?: string | undefined
  }

export type { paths, components } from './schema'
