import { expect, test } from 'vitest'

import { begin, readCase, signIn } from './prepared'

interface Check {
  id: string
  status: string
  org_name: string
  problems_found: boolean
  answers: Record<string, string>
  disposals: Record<string, string>
  photos: string[]
}

const FORM = '/pages/entry/form'

test('a check is begun by a licence, survives the end of the program, waits without a network and is sent by itself', async () => {
  const { program, phone, account, api } = begin()
  const { codes, photo } = readCase()
  const [code = ''] = codes
  program.open()
  await signIn(program, account)

  // The list of enterprises is on the phone before anything is scanned.
  await program.tap('销售企业检查')
  await program.until('企业名录为')
  phone.scans.push('https://example.org/licence?without=a-code')
  await program.tap('扫营业执照二维码')
  await program.until('这个二维码里没有信用代码')
  phone.scans.push(`https://www.gsxt.gov.cn/index.html?uniscid=${code}`)
  await program.tap('扫营业执照二维码')

  // What the header lacks is counted and named.
  await program.tap('核对无误，继续')
  await program.until('还有 5 处需要处理')
  await program.type('企业名称', '某某五金经营部')
  await program.type('企业地址', '盘溪路 405 号')
  await program.type('经营地址', '盘溪路 405 号')
  await program.type('检查人员', '王强')
  await program.tap('添加', '检查人员')
  await program.tap('选择销售产品')
  await program.tap('架空绞线')
  await program.tap('完成')
  await program.tap('核对无误，继续')
  await program.until('目录 0/9')
  expect(program.url.startsWith(FORM)).toBe(true)

  // A problem brings its own questions.
  expect(program.shows('是否立案查处')).toBe(false)
  await program.tap('否', '是否依法取得营业执照')
  await program.until('记为问题，新增 3 项')
  await program.until('目录 1/11')
  expect(program.shows('是否立案查处')).toBe(true)
  await program.type('存在问题', '营业执照已过期')

  phone.photos.push(photo)
  await program.tap('拍照', '现场照片（选填）')
  await program.tap('是', '是否建立并落实进货检查验收制度')
  await program.until('目录 2/11')
  await program.until('✓ 已')
  const form = program.url

  // Killed in the middle, with no network when it is opened again: the draft is there.
  program.close()
  phone.network(false)
  program.open()
  await program.until('销售企业检查')
  program.go(form)
  await program.until('目录 2/11')
  await program.until('没有网络')

  // What is open is counted, and said at its place; each answer takes its fault away.
  await program.tap('目录 2/11')
  await program.tap('去核对')
  await program.until('还有 9 处需要处理')
  await program.until('⚠ 请选择“是否健全销售台账”')
  const answers = {
    是否健全销售台账: '是',
    产品标识是否符合要求: '是',
    产品铭牌信息与认证证书是否一致: '是',
    '是否伪造产地、伪造或冒用厂名厂址': '否',
    '是否销售无生产许可证、未获得强制性产品认证的产品': '否',
    认证证书状态是否有效: '是',
    '是否伪造、冒用、买卖和转让认证证书和认证标志': '否',
    '是否责令改正（下架、停止销售）': '办理中',
    是否立案查处: '不适用',
  }
  for (const [place, [question, answer]] of Object.entries(answers).entries()) {
    await program.tap(answer, question)
    await program.until(() => !program.shows(`请选择“${question}”`))
    if (place < 8) await program.until(`还有 ${8 - place} 处需要处理`)
  }
  await program.tap('去核对')
  await program.until('可以提交')
  await program.tap('提交')
  await program.until('已存入待发送')
  const [, id = ''] = /id=([0-9a-f-]{36})/.exec(program.url) ?? []
  expect(await api(`/inspections?status=submitted&q=${encodeURIComponent('某某五金经营部')}`)).toMatchObject({ items: [] })

  // The network is back: nobody does anything.
  phone.network(true)
  await program.until('已提交')
  const check = (await api(`/inspections/${id}`)) as unknown as Check
  expect(check).toMatchObject({
    status: 'submitted', org_name: '某某五金经营部', problems_found: true,
    disposals: { '4.1': 'in_progress', '4.2': 'na' },
  })
  expect(check.answers).toMatchObject({ '1.1': 'no', '1.1.problem': '营业执照已过期', '1.2': 'yes', '3.3': 'no' })
  expect(check.photos).toHaveLength(1)
  expect(phone.requests.filter((one) => one === 'POST /api/v1/files')).toHaveLength(1)
  expect(program.errors).toEqual([])
})
