"""Why personal data stays, or what stands in its place: Chinese sentences that several rooms give."""

NOTHING = "删除，不留内容"
ROW_GONE = "整行删除"
PERSON_GONE = "以“已删除”代替本人，其余内容为监督管理记录，依法留存"
DUTY = "工作人员履行职责的署名：行政执法全过程记录须载明由谁办理（行政处罚法第四十七条），不因当事人申请而删除"
AUDIT = "安全审计须能说明谁以哪个账号做了什么（网络安全法要求留存网络日志不少于六个月）"
REGISTER = "经营主体登记信息，依法向社会公示（企业信息公示暂行条例第六条）"
EVIDENCE = "检查或抽样的证据，依法随案卷留存"
