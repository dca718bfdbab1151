/** What a photo's page says of it: when and where it was taken, and the digests of its bytes. */
import type { AnswerOf } from '@gongpin/core'

import { localTime } from '@gongpin/core/speech'

export interface FileFact {
  label: string
  text: string
}

type Details = AnswerOf<'/api/v1/files/{file_id}/details', 'get'>

/** A picture that was changed on its way into the storage (its notes of the camera are taken out) has two digests. */
export function factsOf(file: Details): FileFact[] {
  const place = file.latitude && file.longitude ? `${file.latitude}, ${file.longitude}` : '无位置'
  const digests =
    file.sent_sha256 === file.sha256
      ? [{ label: '文件指纹（SHA-256）', text: file.sha256 }]
      : [
          { label: '收到时的文件指纹（SHA-256）', text: file.sent_sha256 },
          { label: '保存的文件指纹（SHA-256，已去除拍摄信息）', text: file.sha256 },
        ]
  return [
    ...(file.width === undefined ? [] : [{ label: '拍摄时间', text: file.taken_at ? localTime(file.taken_at) : '未记录' }]),
    ...(file.width === undefined ? [] : [{ label: '拍摄地点（经纬度）', text: place }]),
    { label: '上传时间', text: localTime(file.uploaded_at) },
    ...digests,
  ]
}
