import { type Files, type HttpAnswer, NoAnswer, type Transport } from '@gongpin/core'

import { folder } from './files'

/** wx.request and wx.uploadFile to `origin` (`https://…`), which must be on the mini-program's list of domains. */
export function openTransport(origin: string, files: Files): Transport {
  return {
    request: ({ method, path, headers, body, timeout }) =>
      new Promise((resolve, reject) =>
        wx.request({
          url: origin + path,
          method,
          header: headers,
          data: body,
          timeout,
          // Any other word than `json`: the answer stays text.
          dataType: 'text' as '其他',
          responseType: 'text',
          redirect: 'manual',
          success: ({ statusCode, header, data }) =>
            resolve({ status: statusCode, headers: lower(header), body: String(data ?? '') }),
          fail: (error) => reject(lost(error)),
        }),
      ),

    async upload({ path, headers, fields, file, timeout, onProgress }) {
      const url = await files.url(file.id)
      if (!url) throw new NoAnswer('cut')
      // The part is called like the file on the phone, so a copy gets the name that the server is to know.
      const manager = wx.getFileSystemManager()
      const named = `${folder(`sending/${file.id}`)}/${file.name.replace(/[\\/:*?"<>|]/g, '_')}`
      manager.copyFileSync(url, named)
      try {
        return await new Promise<HttpAnswer>((resolve, reject) => {
          const task = wx.uploadFile({
            url: origin + path,
            filePath: named,
            name: 'file',
            header: headers,
            formData: fields,
            timeout,
            success: ({ statusCode, data, ...rest }) =>
              resolve({
                status: statusCode,
                headers: lower((rest as { header?: Record<string, string> }).header),
                body: data,
              }),
            fail: (error) => reject(lost(error)),
          })
          if (onProgress) task?.onProgressUpdate(({ progress }) => onProgress(progress / 100))
        })
      } finally {
        manager.unlinkSync(named)
      }
    },
  }
}

function lost({ errMsg }: { errMsg: string }): NoAnswer {
  if (/timeout|timed out/i.test(errMsg)) return new NoAnswer('timeout')
  return new NoAnswer(/network|offline|-106|disconnected/i.test(errMsg) ? 'offline' : 'cut')
}

function lower(headers: Record<string, string> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]))
}
