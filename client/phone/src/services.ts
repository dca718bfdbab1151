/** Builds the core's objects on this machine, once; pages take from here what they need. */
import { Api, type Platform } from '@gongpin/core'

import { createPlatform } from './platform'
import { tokens } from './session'

export interface Services {
  platform: Platform
  api: Api
}

let made: Promise<Services> | null = null

/** `const { api } = await services()` */
export function services(): Promise<Services> {
  made ??= make()
  return made
}

async function make(): Promise<Services> {
  const platform = await createPlatform()
  return { platform, api: new Api(platform, tokens) }
}
