// A dragged control sends the newest value, and a meter counts a minute.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Meter } from '../src/meter'
import { newestWins } from '../src/newest'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it('sends the first at once, then only the newest, and never two at a time', async () => {
  const sent: number[] = []
  const answers: (() => void)[] = []
  const send = newestWins((value: number) => {
    sent.push(value)
    return new Promise<void>((answer) => answers.push(answer))
  }, 100)
  for (let value = 1; value <= 20; value++) send(value)
  await vi.advanceTimersByTimeAsync(1000)
  expect(sent).toEqual([1])
  answers[0]!()
  await vi.advanceTimersByTimeAsync(0)
  expect(sent).toEqual([1, 20])
  answers[1]!()
  await vi.advanceTimersByTimeAsync(99)
  send(21)
  expect(sent).toEqual([1, 20]) // too soon
  await vi.advanceTimersByTimeAsync(1)
  expect(sent).toEqual([1, 20, 21])
})

it('goes on after one that failed', async () => {
  const sent: number[] = []
  const send = newestWins(async (value: number) => {
    sent.push(value)
    if (value === 1) throw new Error('no')
  }, 100)
  send(1)
  send(2)
  await vi.advanceTimersByTimeAsync(100)
  expect(sent).toEqual([1, 2])
})

it('counts the last 60 seconds, and soon says what a minute would be', () => {
  const meter = new Meter()
  expect(meter.perMinute(1e6)).toBe(0)
  for (let second = 0; second < 10; second++) meter.add(1000, 1e6 + second * 1000)
  expect(meter.perMinute(1e6 + 9000)).toBe(60_000)
  for (let second = 10; second < 200; second++) meter.add(500, 1e6 + second * 1000)
  expect(meter.perMinute(1e6 + 199_000)).toBe(30_000)
  expect(meter.perMinute(1e6 + 229_000)).toBe(15_000) // it has stopped half a minute ago
  expect(meter.perMinute(1e6 + 300_000)).toBe(0)
})
