// Coming in and going out:
//
//	#token=… in the address ─▶ POST /v1/login ─▶ cookie ─▶ GET /v1/state ─▶ the live socket
//	#setup=… in the address ─▶ the door, which makes the first owner with it
//	                              no key, or a wrong one ─▶ the door
import { batch, signal } from '@preact/signals'
import { login, logout, Refused } from './api'
import { goInstead, takeCarried } from './route'
import { checkLogin, choices, complain, files, lines, link, loggedIn, state, turnedAway, unreachable } from './state'

const retryMs = 3000

/** What the address carried for the door; "" when nothing. */
export const setupSecret = signal('')

/** Runs once, when the page was loaded. */
export async function begin(): Promise<void> {
  const carried = takeCarried()
  if (carried?.kind === 'setup') {
    setupSecret.value = carried.secret
    loggedIn.value = false
    return
  }
  if (carried) await give(carried.secret)
  await checkLogin()
  if (loggedIn.value !== false) enter()
}

/** Gives the key of the address; it is gone from there, so it is tried until layerd was reached. */
async function give(token: string): Promise<void> {
  for (;;) {
    try {
      return await login(token)
    } catch (error) {
      if (!(error instanceof Refused)) return
      if (error.status !== 0) { // a wrong key: the door follows and says so, unless a cookie serves
        turnedAway.value = error.error
        return
      }
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

/** Goes in through the door. It may be another person than before: what that one saw is forgotten. */
export function enterAnew(): void {
  batch(() => {
    forget()
    enter()
  })
}

/** Shows the door, still logged in. */
export function toDoor(): void {
  link.stop()
  batch(() => {
    forget()
    loggedIn.value = false
  })
}

export async function leave(): Promise<void> {
  try {
    await logout()
    toDoor()
  } catch (error) {
    complain(error)
  }
}

function forget(): void {
  state.value = files.value = choices.value = turnedAway.value = null
  lines.value = []
  setupSecret.value = ''
  if (loggedIn.value) goInstead('print')
}
