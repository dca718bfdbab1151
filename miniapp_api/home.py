"""The page at `/`: what runs here and where to go. It never shows a password."""

import re

from apiflask import APIBlueprint
from flask import Response, request

from miniapp_api.gates import public
from miniapp_api.openapi import DOCS_PATH, SPEC_PATH
from miniapp_api.wiring import wiring

bp = APIBlueprint("home", __name__, enable_openapi=False)

_PAGE = f"""<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>工品查 · 市场监管现场检查服务</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.7 system-ui, "PingFang SC", "Noto Sans CJK SC", "Microsoft YaHei", sans-serif;
  max-width: 40rem; margin: 0 auto; padding: 1.25rem; overflow-wrap: anywhere; }}
h1 {{ font-size: 1.5rem; line-height: 1.3; margin: .5rem 0 1rem; text-wrap: balance; }}
ul {{ padding: 0; list-style: none; }}
li {{ border: 1px solid #8886; border-radius: .5rem; padding: .75rem 1rem; margin: .75rem 0; }}
a {{ display: inline-block; font-weight: 600; padding: .25rem 0; }}
p {{ margin: .25rem 0; }}
footer {{ margin-top: 2rem; opacity: .8; font-size: .9rem; }}
</style>
</head>
<body>
<main>
<h1>工品查 · 市场监管现场检查服务</h1>
NOTICE<p>服务正在运行。监管人员用手机填报生产企业检查、销售企业检查和监督抽查，查看本辖区记录与工作统计，审核下级账号。</p>
<p lang="en">Market-supervision field work: checks, spot checks, their disposal, records and statistics.</p>
<ul>
<li><a href="{DOCS_PATH}/">接口文档</a><p>每个接口的参数、返回值和错误，可直接试用。</p></li>
<li><a href="{SPEC_PATH}">OpenAPI 3.1</a><p>供程序读取的接口描述。</p></li>
<li><a href="/readyz">运行状态</a><p>数据库和存储是否可用。</p></li>
</ul>
</main>
FOOTER</body>
</html>
"""

_RATED = """<p role="status"><strong>评价已保存，感谢您的参与！</strong>
查询码 CODE，凭它可<a href="/r/answers">查看答复</a>。</p>
"""
_CODE = re.compile(r"[2-9A-HJ-NP-Z]{4}(-[2-9A-HJ-NP-Z]{4}){3}")

_DEMO = "<footer>演示账号及密码只写在运行服务的机器上：数据目录中的 demo-accounts.json。</footer>"


@bp.get("/")
@public(transaction=False)
def home() -> Response:
    """What runs here."""
    settings = wiring().settings
    shown = _DEMO if settings.demo and not settings.production else ""
    rated = request.args.get("rated", "")
    notice = _RATED.replace("CODE", rated) if _CODE.fullmatch(rated) else ""
    response = Response(_PAGE.replace("FOOTER", shown).replace("NOTICE", notice), mimetype="text/html")
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return response
