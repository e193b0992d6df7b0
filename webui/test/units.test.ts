import { describe, expect, it } from 'vitest'
import { age, bytes, clock, duration, meters, moment, percent, stopwatch, trim, typed } from '../src/units'

it.each([
  [0, '0 s'], [45.4, '45 s'], [59.4, '59 s'], [59.6, '1 min'], [90, '2 min'], [3569, '59 min'], [3570, '1 h 0 min'], [11_520, '3 h 12 min'],
  [90_000, '1 d 1 h'], [-1, '–'], [NaN, '–'], [Infinity, '–'],
])('duration(%f) is %s', (s, want) => expect(duration(s)).toBe(want))

it.each([[999, '999 B'], [1000, '1.0 kB'], [4_240_000, '4.2 MB'], [18_200_000, '18 MB'], [999_600, '1.0 MB'], [23.4e9, '23 GB'], [-1, '–']])(
  'bytes(%d) is %s', (n, want) => expect(bytes(n)).toBe(want))

it.each([[0, '0'], [42.9, '42'], [99.99, '99'], [100, '100'], [101, '100'], [-3, '0']])('percent(%f) is %s', (n, want) => expect(percent(n)).toBe(want))

it.each([[0, '0.0 s'], [-50, '0.0 s'], [2449, '2.4 s'], [12_000, '12 s'], [130_000, '2 min']])('age(%d) is %s', (n, want) => expect(age(n)).toBe(want))

it.each([['0.4', 0.4], ['0,4', 0.4], [' 12 ', 12], ['-5', -5], ['.5', 0.5], ['5.', 5]])('typed(%s) is %f', (text, want) => expect(typed(text)).toBe(want))
it.each(['', 'abc', '1e5', '1.2.3', '0x10', 'Infinity', '--1'])('typed(%s) is no number', (text) => expect(typed(text)).toBeNaN())

it.each([[0, '0:00:00'], [65.9, '0:01:05'], [37_230, '10:20:30'], [-3, '0:00:00'], [NaN, '–']])('stopwatch(%f) is %s', (s, want) => expect(stopwatch(s)).toBe(want))

it.each([[1.5, 2, '1.5'], [2, 2, '2'], [0.126, 2, '0.13'], [-0.001, 2, '0'], [100, 0, '100']])('trim(%f, %d) is %s', (n, d, want) => expect(trim(n, d)).toBe(want))

it('meters shows filament as people buy it', () => {
  expect([meters(0), meters(4213), meters(12_345)]).toEqual(['–', '4.21 m', '12.3 m'])
})

describe('moment', () => {
  const now = new Date(2026, 10, 22, 15, 30).getTime()
  it.each([
    [new Date(2026, 10, 22, 0, 5), '00:05'], [new Date(2026, 10, 21, 23, 59), 'yesterday 23:59'], [new Date(2026, 10, 23, 2, 10), 'Mon 02:10'],
    [new Date(2026, 10, 17, 8, 0), 'Tue 08:00'], [new Date(2026, 2, 3, 12, 4), '3 Mar 12:04'], [new Date(2024, 2, 3, 12, 4), '3 Mar 2024'],
  ])('%s', (at, want) => expect(moment(at.getTime(), now)).toBe(want))
  it('never is a dash', () => expect([moment(0, now), clock(0)]).toEqual(['–', '–']))
})
