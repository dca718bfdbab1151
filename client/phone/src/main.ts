import { createSSRApp } from 'vue'

import App from './App.vue'
import { beginAtSignIn } from './platform/start'
import { session } from './session'

export function createApp() {
  if (session.token === null) beginAtSignIn()
  const app = createSSRApp(App)
  return { app }
}
