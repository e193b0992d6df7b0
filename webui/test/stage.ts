// A page to put parts on, whose link is a fake: what it is told is kept, and answered when the test says so.
import { render } from 'preact'
import { act } from 'preact/test-utils'
import { afterEach, beforeEach, vi } from 'vitest'
import { go } from '../src/route'
import { asks, link, linkStatus, notices, state } from '../src/state'
import type { Answer, Doing } from '../src/wire'

export let root: HTMLElement
export let told: Doing[]
export let answer: (change: Partial<Answer>) => void

/** Each test of the file has a fresh one, on the Print screen; what it fetches is fetched's to answer. */
export function onStage(fetched: (path: string) => Promise<Response>) {
  beforeEach(() => {
    root = document.createElement('div')
    document.body.append(root)
    told = []
    vi.stubGlobal('fetch', fetched)
    vi.spyOn(link, 'do').mockImplementation((doing) => {
      told.push(doing)
      return new Promise((resolve) => {
        answer = (change) => resolve({ type: 'answer', id: 'x', rev: 0, job: '', error: null, ...change })
      })
    })
    act(() => go('print'))
  })

  afterEach(() => {
    act(() => {
      render(null, root)
      state.value = null
      asks.value = new Map()
      notices.value = []
      linkStatus.value = 'connecting'
    })
    root.remove()
    vi.unstubAllGlobals()
    vi.restoreAllMocks()
  })
}
