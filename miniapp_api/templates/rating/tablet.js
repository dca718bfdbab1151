(function(){"use strict";
var clean=document.documentElement.dataset.clean,idle=document.getElementById("idle"),form=document.getElementById("form"),
 sent=!form||document.getElementById("errors"),touched=Date.now(),used=!!sent;
function touch(){touched=Date.now();used=true;idle.textContent=""}
["pointerdown","touchstart","keydown","input","wheel"].forEach(function(name){addEventListener(name,touch,{passive:true,capture:true})});
setInterval(function(){if(!used)return;
 var left=60-Math.floor((Date.now()-touched)/1000);
 if(left<=0)location.replace(clean);else if(left<=10)idle.textContent=left+"秒后清空，继续填写请点一下屏幕"},1000);
addEventListener("click",function(event){var link=event.target.closest("a");if(link&&link.pathname===location.pathname){event.preventDefault();location.replace(clean)}});
addEventListener("pageshow",function(event){if(event.persisted)location.replace(clean)});
})();
