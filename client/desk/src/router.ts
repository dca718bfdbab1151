/** The addresses of the desk. Filters, order and page of a list stand in the address, so that it can be sent. */
import { createRouter, createWebHistory } from 'vue-router'

import { session } from './session'

export const router = createRouter({
  history: createWebHistory('/desk/'),
  routes: [
    { path: '/', redirect: '/todos' },
    { path: '/sign-in', name: 'sign-in', component: () => import('./pages/SignIn.vue'), meta: { title: '登录', open: true } },
    { path: '/todos', component: () => import('./pages/Todos.vue'), meta: { title: '待办' } },
    { path: '/filings', component: () => import('./pages/Filings.vue'), meta: { title: '审查' } },
    { path: '/filings/:id', component: () => import('./pages/Filing.vue'), props: true, meta: { title: '办件' } },
    { path: '/password', component: () => import('./pages/Password.vue'), meta: { title: '修改密码' } },
    { path: '/:rest(.*)*', component: () => import('./pages/NotFound.vue'), meta: { title: '没有这个页面' } },
  ],
})

router.beforeEach((to) => {
  if (!to.meta['open'] && session.token === null) return { name: 'sign-in', query: { to: to.fullPath } }
  if (session.me?.must_change_password && to.path !== '/password' && !to.meta['open']) return '/password'
  return true
})

router.afterEach((to) => {
  document.title = `${String(to.meta['title'])} · 工品查`
})
