/** What 使用帮助 tells: for each right the way through the day, in the words of this machine (browser or WeChat). */
import type { Verb } from '@/navigation'

export interface Chapter {
  title: string
  /** A name and what to do. */
  steps: readonly (readonly [string, string])[]
}

export interface Reader {
  may: (verb: Verb) => boolean
  isEnterprise: boolean
  /** This machine reads QR codes. */
  canScan: boolean
  inWeChat: boolean
}

export function chaptersFor(reader: Reader): Chapter[] {
  const { may, isEnterprise } = reader
  return [
    ...(may('inspection.write') ? [filling(reader), withoutNetwork(reader), afterwards()] : []),
    ...(may('accounts.decide') || (may('statistics.read') && !isEnterprise) ? [supervising(may('accounts.decide'))] : []),
    ...(isEnterprise ? [declaring(reader)] : []),
    screen(),
  ]
}

function filling({ canScan }: Reader): Chapter {
  const find = canScan ? '扫营业执照上的二维码，或输入信用代码、企业名称' : '输入 18 位信用代码，或企业名称中的两个字'
  return {
    title: '怎样填报',
    steps: [
      ['1 选表', '在“信息录入”点生产企业检查、销售企业检查或监督抽查。产品在页面上方，可以更换。'],
      ['2 找企业', `${find}，点“查找”。名录里没有的，点“手动录入”。`],
      ['3 核对基本信息', '登记的内容已经带出，点“修改”可改。企业关门、搬走的，把“是否无法进行检查”选“是”，写明原因即可提交。'],
      ['4 逐项填写', '点下方“下一处未答”往下走，点“目录”跳到任意一节。选成问题的会标“记为问题”，并出现处置项。'],
      ['5 核对并提交', '点“去核对”，缺的、错的会一次列出，点一下就到那一处。企业陪同人员和检查人员在这一页签名。'],
      ['监督抽查', '抽样当天先填抽样单，随时可以离开，记录在“信息暂存”。检验报告出来后点“继续填报”，填检验结果再提交。'],
    ],
  }
}

function withoutNetwork({ inWeChat }: Reader): Chapter {
  const open = inWeChat ? '打开小程序' : '用同一个浏览器打开本页'
  const lose = inWeChat ? '删除小程序' : '清除浏览器数据'
  return {
    title: '没有网络时',
    steps: [
      ['照常填写', '填写内容随时存在本机。点“提交”后进入“待发送”。'],
      ['联网自动发送', `联网并${open}时自动发送，不用再点。首页会显示还有几条待发送。`],
      ['不要丢失', `${lose}，未发送的记录会丢失。长时间没有网络的，在“待发送”点“导出未发送”，交给同事导入。`],
    ],
  }
}

function afterwards(): Chapter {
  return {
    title: '提交以后',
    steps: [
      ['处置办结', '在“信息查看”打开记录，点“更新处置”，把“办理中”改为“是”。“待办”也会列出。'],
      ['填错了', '24 小时内在记录里点“更正”；超过 24 小时点“申请更正”，由上级采纳。不该有的记录点“更多”中的“作废”。'],
      ['给同事看', '点“转发给同事”。有权限的人才能打开。'],
    ],
  }
}

function supervising(decides: boolean): Chapter {
  const deciding = [['用户审核', '核对姓名、单位和地区，点“通过”；点“不通过”要写明意见，申请人能看到。'] as const]
  return {
    title: '上级单位',
    steps: [
      ...(decides ? deciding : []),
      ['工作统计', '点一个地区看下一级，点一个数字看后面的记录。“看表格”可以横看全部数字。'],
      ['退回更正', '在“信息查看”打开记录，点“更多”中的“退回更正”，写明意见。填报人会收到待办。'],
    ],
  }
}

function declaring({ inWeChat }: Reader): Chapter {
  return {
    title: '企业怎样办理',
    steps: [
      ['待办', '首页先列要办的事。灯为黄色的快到期，红色的已超期。'],
      ['填报和提交', '每一组、每份材料填好后变为“已填”；点“提交”前会先检查。提交后有回执，请留存。'],
      ['上传材料', `${inWeChat ? '从聊天记录或相册选择' : '从本机选择'}文件，上传时可以接着填写其他内容。`],
      ['退回补正', '打开该件，黄色框里是审查意见；改好后再提交。'],
    ],
  }
}

function screen(): Chapter {
  return {
    title: '看得清楚',
    steps: [['关怀版', '首页上方点“关怀版”，字和按钮变大。深色、浅色跟随手机设置。']],
  }
}
