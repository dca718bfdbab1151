/** The addresses of the desk. Filters, order and page of a list stand in the address, so that it can be sent. */
import { createRouter, createWebHistory } from 'vue-router'

import { opens, screenOf } from './places'
import { session } from './session'

export const router = createRouter({
  history: createWebHistory('/desk/'),
  routes: [
    { path: '/', redirect: '/todos' },
    { path: '/sign-in', name: 'sign-in', component: () => import('./pages/SignIn.vue'), meta: { title: '登录', open: true } },
    { path: '/todos', component: () => import('./pages/Todos.vue') },
    { path: '/filings', component: () => import('./pages/Filings.vue') },
    { path: '/filings/:id', component: () => import('./pages/Filing.vue'), props: true, meta: { title: '办件' } },
    { path: '/ratings', component: () => import('./pages/ratings/Ratings.vue') },
    { path: '/ratings/codes', component: () => import('./pages/ratings/Codes.vue') },
    { path: '/ratings/codes/table', component: () => import('./pages/ratings/CodeTable.vue') },
    { path: '/ratings/publication', component: () => import('./pages/ratings/Publication.vue') },
    { path: '/ratings/figures', component: () => import('./pages/ratings/Figures.vue') },
    { path: '/ratings/:id', component: () => import('./pages/ratings/Rating.vue'), props: true, meta: { title: '评价办理' } },
    { path: '/registers', component: () => import('./pages/registers/Imports.vue') },
    { path: '/registers/:id', component: () => import('./pages/registers/Import.vue'), props: true, meta: { title: '核对和导入' } },
    { path: '/accounts', component: () => import('./pages/accounts/Users.vue') },
    { path: '/accounts/applications', component: () => import('./pages/accounts/Applications.vue') },
    { path: '/me', component: () => import('./pages/Own.vue') },
    { path: '/search', component: () => import('./pages/Search.vue') },
    { path: '/password', component: () => import('./pages/Password.vue'), meta: { title: '修改密码' } },
    { path: '/:rest(.*)*', name: 'nowhere', component: () => import('./pages/NotFound.vue'), meta: { title: '没有这个页面' } },
  ],
})

router.beforeEach((to) => {
  if (!to.meta['open'] && session.token === null) return { name: 'sign-in', query: { to: to.fullPath } }
  if (session.me?.must_change_password && to.path !== '/password' && !to.meta['open']) return '/password'
  const screen = screenOf(to.path)
  // Somebody else's link: the page says that it is not theirs, instead of a list that is refused.
  if (screen && to.name !== 'nowhere' && !opens(session.me, screen)) return { name: 'nowhere', params: { rest: to.path.slice(1).split('/') } }
  return true
})

router.afterEach((to) => {
  document.title = `${String(to.meta['title'] ?? screenOf(to.path)?.title ?? '')} · 工品查`
})
