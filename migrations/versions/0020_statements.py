"""what enterprises were told as questions becomes statements

Checks published before told their problems by the questions of the form (“1.2 是否存在无证生产”). Whole
questions with their numbers are replaced, whatever stands around them; one statement over the table.

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op


revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None

# gpc-production and gpc-sales, version 1, as they were published.
TOLD = {
    '1.1 是否依法获得营业执照、生产许可证或强制性产品认证等相关证照':
        '1.1 未依法取得营业执照、生产许可证或强制性产品认证等相关证照',
    '1.2 是否存在无证生产': '1.2 存在无证生产',
    '1.3 是否存在超范围生产': '1.3 存在超范围生产',
    '1.4 是否在证书撤销、注销或暂停期间继续出厂、销售': '1.4 在证书撤销、注销或暂停期间继续出厂、销售',
    '2.1 是否建立质量管理体系、采购验证及原料索票、索证和检验制度':
        '2.1 未建立质量管理体系、采购验证及原料索票、索证和检验制度',
    '2.2 是否保留重要原材料检验、验证记录': '2.2 未保留重要原材料检验、验证记录',
    '2.3 关键原材料是否符合标准要求': '2.3 关键原材料不符合标准要求',
    '3.1 生产过程关键质量控制点是否到位': '3.1 生产过程关键质量控制点不到位',
    '3.2 是否存在偷工减料、掺杂掺假': '3.2 存在偷工减料、掺杂掺假',
    '3.3 质量管理人员和技术人员是否具备相应能力': '3.3 质量管理人员和技术人员不具备相应能力',
    '4.1 是否进行产品出厂检验（自检/委检）': '4.1 未进行产品出厂检验（自检/委检）',
    '4.2 出厂检验记录是否齐全': '4.2 出厂检验记录不齐全',
    '5.1 合格标志是否按规定加贴且与产品实际一致': '5.1 合格标志未按规定加贴，或与产品实际不一致',
    '5.2 CCC标志使用是否正确': '5.2 CCC标志使用不正确',
    '6.1 是否建立销售台账并如实记录': '6.1 未建立销售台账，或未如实记录',
    '6.2 产品质量是否能有效溯源': '6.2 产品质量不能有效溯源',
    '6.3 是否及时更换、退货、召回问题产品': '6.3 未及时更换、退货、召回问题产品',
    '1.1 是否依法取得营业执照': '1.1 未依法取得营业执照',
    '1.2 是否建立并落实进货检查验收制度': '1.2 未建立或未落实进货检查验收制度',
    '1.3 是否健全销售台账': '1.3 销售台账不健全',
    '2.1 产品标识是否符合要求': '2.1 产品标识不符合要求',
    '2.2 产品铭牌信息与认证证书是否一致': '2.2 产品铭牌信息与认证证书不一致',
    '2.3 是否伪造产地、伪造或冒用厂名厂址': '2.3 伪造产地，伪造或冒用厂名、厂址',
    '3.1 是否销售无生产许可证、未获得强制性产品认证的产品': '3.1 销售无生产许可证、未获得强制性产品认证的产品',
    '3.2 认证证书状态是否有效': '3.2 认证证书状态无效',
    '3.3 是否伪造、冒用、买卖和转让认证证书和认证标志': '3.3 伪造、冒用、买卖或转让认证证书、认证标志',
}

CHECKS = sa.table('supervision_checks', sa.column('result', sa.String), sa.column('problems', sa.Text))


def upgrade() -> None:
    _replace(list(TOLD.items()))


def downgrade() -> None:
    # The longer of two that begin alike first: “1.1 未依法取得营业执照” is the beginning of another.
    _replace(sorted(((said, asked) for asked, said in TOLD.items()), key=lambda pair: -len(pair[0])))


def _replace(pairs: list[tuple[str, str]]) -> None:
    text = CHECKS.c.problems
    for old, new in pairs:
        text = sa.func.replace(text, old, new)
    op.execute(sa.update(CHECKS).where(CHECKS.c.result == 'problems').values(problems=text))
