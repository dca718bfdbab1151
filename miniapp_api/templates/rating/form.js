(function(){"use strict";
var form=document.getElementById("form"),send=document.getElementById("send"),comment=form.comment,care=document.getElementById("care"),
 hint=document.getElementById("comment-hint"),first=hint.textContent,clicked=null;
function level(){return form.querySelector("[name=level]:checked")}
function bad(){var l=level();return !!l&&l.hasAttribute("data-bad")}
function say(name,text){var at=document.getElementById(name+"-fault"),field=form[name];at.textContent=text;
 if(field&&field.setAttribute){text?field.setAttribute("aria-invalid","true"):field.removeAttribute("aria-invalid")}return text}
function digits(text){return text.normalize("NFKC").replace(/[\s\u00ad\u200b-\u200f\u2010-\u2015\u202a-\u202e\u2060\u2066-\u2069\u2212\ufeff().·-]/g,"").replace(/^(\+|00)?86(?=1\d{10}$)/,"")}
var checks={
 level:function(){return level()?"":"请选择评价等级"},
 tags:function(){return bad()&&!form.querySelector("[name=tags"+level().value+"]:checked")?"请至少选择一项不满意的原因":""},
 comment:function(){var n=Array.from(comment.value.trim()).length;return bad()&&n<5?"请填写具体意见，不少于5个字，以便核实整改":n>500?"具体意见不能超过500个字":""},
 rater_name:function(){return form.anonymous.checked||form.rater_name.value.trim()?"":"请填写姓名或单位名称"},
 mobile:function(){return /^1[3-9]\d{9}$/.test(digits(form.mobile.value))?"":"手机号不正确，请填写11位大陆手机号"}};
function check(name){return say(name,checks[name]())}
function count(){var n=Array.from(comment.value.trim()).length;hint.textContent=first+(n?"（已填"+n+"字）":"")}
["comment","rater_name","mobile"].forEach(function(name){form[name].addEventListener("change",function(){check(name)})});
comment.addEventListener("input",count);count();
form.addEventListener("change",function(event){if(event.target.name==="level"){say("level","");say("tags","");if(!bad())say("comment","")}
 else if(/^tags/.test(event.target.name))check("tags");
 else if(event.target.name==="anonymous")say("rater_name","")});
form.noValidate=true;
form.addEventListener("click",function(event){if(event.target.type==="submit"||event.target.tagName==="BUTTON")clicked=event.target});
form.addEventListener("submit",function(event){
 if(clicked&&clicked.value!=="send")return;
 var wrong=Object.keys(checks).filter(check)[0];
 if(wrong){event.preventDefault();var at=wrong==="level"?document.getElementById("l5"):wrong==="tags"?form["tags"+level().value][0]:form[wrong];at.focus();return}
 if(send.getAttribute("aria-disabled")){event.preventDefault();return}
 send.setAttribute("aria-disabled","true");send.textContent="正在提交…";setTimeout(ready,15000)});
function ready(){send.removeAttribute("aria-disabled");send.textContent=send.dataset.text}
addEventListener("pageshow",function(event){if(event.persisted)ready()});
send.dataset.text=send.textContent;
if(care)care.addEventListener("click",function(event){event.preventDefault();var on=document.documentElement.classList.toggle("large");
 care.textContent=on?"标准版":"关怀版";form.action=on?"?large=1":"?"});
var errors=document.getElementById("errors");if(errors)errors.focus();
})();
