// Coming in and going out:
//
//	#token=… in the address ─▶ POST /v1/login ─▶ cookie ─▶ GET /v1/state ─▶ the live socket
//	                              no key, or a wrong one ─▶ the key screen
import { login, logout, Refused } from './api'
import { takeToken } from './route'
import { checkLogin, complain, link, loggedIn, state, unreachable } from './state'

const retryMs = 3000

/** Runs once, when the page was loaded. */
export async function begin(): Promise<void> {
  const token = takeToken()
  if (token) await give(token)
  await checkLogin()
  if (loggedIn.value !== false) enter()
}

/** Gives the key of the address; it is gone from there, so it is tried until layerd was reached. */
async function give(token: string): Promise<void> {
  for (;;) {
    try {
      return await login(token)
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 0) return // a wrong key: the key screen follows, unless a cookie serves
      unreachable.value = true
      await new Promise((resolve) => setTimeout(resolve, retryMs))
    }
  }
}

/** Starts the live socket. */
export function enter(): void {
  loggedIn.value = true
  link.start()
}

export async function leave(): Promise<void> {
  try {
    await logout()
    link.stop()
    state.value = null
    loggedIn.value = false
  } catch (error) {
    complain(error)
  }
}
