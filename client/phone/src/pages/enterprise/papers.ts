/** Documents (材料) of a filing or of a step: chosen on this phone, uploaded while the person fills in. */
import { filesIn, type FormBody, type Plan, Problem } from '@gongpin/core'
import type { Ref, ShallowRef } from 'vue'

import type { Desk } from '@/desk'
import { sentenceOf } from '@/words'

export interface Paper {
  category: string
  file_id: string
}

/** An upload under way: `share` 0 to 1, or why it stopped. */
export interface Upload {
  category: string
  name: string
  size: number
  share: number
  fault: string | null
}

/** Where documents are gathered. */
export interface Papers {
  readonly desk: Desk
  readonly papers: Ref<Paper[]>
  /** By the id of the file. */
  readonly uploads: Record<string, Upload>
  readonly plan: ShallowRef<Pick<Plan, 'problemsFound'>>
  /** Whether documents of a category may be put in and taken away now. */
  takes(category: string): boolean
  attach(paper: Paper): void
  detach(fileId: string): void
  save(): Promise<void>
}

/** Files that items of a form name, also in rows, reach the server before what claims them. */
export async function uploadFilesIn({ attachments, token: tokenNow }: Desk, body: FormBody): Promise<void> {
  const token = tokenNow()
  if (token === undefined) return
  const known = new Set((await attachments.list()).map((file) => file.id))
  for (const file of filesIn(body, known)) await attachments.upload(file, token)
}

/** Uploads a document that was chosen on this phone; it goes on while the person fills in. */
export async function upload(work: Papers, category: string, fileId: string): Promise<void> {
  const { attachments, token: tokenNow } = work.desk
  const file = await attachments.get(fileId)
  const token = tokenNow()
  if (!file || token === undefined) return
  work.uploads[fileId] = { category, name: file.name, size: file.size, share: 0, fault: null }
  const stop = attachments.watch(({ id, share }) => {
    const row = work.uploads[fileId]
    if (id === fileId && row) row.share = share
  })
  try {
    await attachments.upload(fileId, token)
    delete work.uploads[fileId]
    work.attach({ category, file_id: fileId })
    await work.save().catch(() => undefined)
  } catch (error) {
    const row = work.uploads[fileId]
    if (row) row.fault = error instanceof Problem ? (error.errors[0]?.message ?? error.title) : sentenceOf(error)
  } finally {
    stop()
  }
}
