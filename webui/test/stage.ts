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

interface Stage {
  fetched?: (path: string) => Promise<Response> // answers what it fetches; none: nothing is fetched
  atMS?: number // the clock stands there, until the test moves it
  agreed?: boolean // the link answers everything at once, and well
}

/** Each test of the file has a fresh one, on the Print screen. */
export function onStage({ fetched, atMS, agreed }: Stage = {}) {
  beforeEach(() => {
    if (atMS !== undefined) {
      vi.useFakeTimers()
      vi.setSystemTime(atMS)
    }
    root = document.createElement('div')
    document.body.append(root)
    told = []
    if (fetched) vi.stubGlobal('fetch', vi.fn(fetched))
    vi.spyOn(link, 'do').mockImplementation((doing) => {
      told.push(doing)
      return new Promise((resolve) => {
        answer = (change) => resolve({ type: 'answer', id: 'x', rev: 0, job: '', error: null, ...change })
        if (agreed) answer({})
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
    vi.useRealTimers()
    vi.unstubAllGlobals()
    vi.restoreAllMocks()
  })
}
