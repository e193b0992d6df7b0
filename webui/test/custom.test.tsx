// Profiles, scripts and buttons, as a person sets them up.
import { readFileSync } from 'node:fs'
import { fireEvent, getByLabelText, getByRole, queryByRole } from '@testing-library/dom'
import { render, type ComponentChild } from 'preact'
import { act } from 'preact/test-utils'
import { describe, expect, it, vi } from 'vitest'
import { readButtons, readProfiles, readScripts } from '../src/custom'
import { ButtonsPage, moved } from '../src/parts/buttons'
import { numberOf } from '../src/parts/buttonsheet'
import { heaterParts } from '../src/parts/heat'
import { Ask, CustomButtons } from '../src/parts/press'
import { ProfileForm } from '../src/parts/profileform'
import { ProfilesPage, profileWords } from '../src/parts/profiles'
import { ScriptsForm } from '../src/parts/scripts'
import { linkStatus, received, state } from '../src/state'
import { parse } from '../src/wire'
import type { CustomButton, Profile, State } from '../src/wire'
import { exampleState } from './examples'
import { answer, onStage, root, told } from './stage'

const golden = (name: string) => parse(readFileSync(`../internal/server/testdata/wire/${name}.json`, 'utf8'))

onStage({ fetched: (path) => Promise.resolve(new Response(JSON.stringify(golden(path.split('/').at(-1) ?? '')))) })

const flush = () => act(async () => {
  for (let i = 0; i < 10; i++) await Promise.resolve()
  await new Promise((done) => setTimeout(done))
})

async function show(what: ComponentChild, change: Partial<State> = {}): Promise<void> {
  act(() => {
    received(exampleState({ state: 'idle', job: null, ...change }))
    linkStatus.value = 'up'
    render(what, root)
  })
  await flush()
}

const button = (name: string | RegExp) => getByRole<HTMLButtonElement>(root, 'button', { name })
const type = (label: string | RegExp, value: string) => act(() => {
  fireEvent.input(getByLabelText(root, label), { target: { value } })
})
const tap = (element: HTMLElement) => act(() => {
  fireEvent.click(element)
})
const refused = (problems: { in: string; line: number; message: string }[]) =>
  ({ error: { code: 'bad_script', message: 'No.', next: '', warnings: [], problems } })

describe('golden files', () => {
  it.each([['profiles', readProfiles], ['scripts', readScripts], ['buttons', readButtons]] as const)('%s can be read, and nothing of it is lost', (name, read) => {
    expect((read as (v: unknown, at: string) => unknown)(golden(name), '')).toEqual(golden(name))
  })
})

describe('scripts', () => {
  const kept = readScripts(golden('scripts'), '')

  it('are sent as a whole, and a refused line is shown at its event and place', async () => {
    await show(<ScriptsForm kept={kept} />)
    expect(button('Save scripts').disabled).toBe(true)
    type('Print done', 'M117 over\nM112')
    tap(button('Save scripts'))
    expect(told).toEqual([{ do: 'set_scripts', scripts: expect.objectContaining({ paused: 'M117 Layer {layer}\n; the lamp\nM355 S1', done: 'M117 over\nM112', started: '' }) as unknown }])
    answer(refused([{ in: 'done', line: 2, message: 'M112 is the emergency stop' }]))
    await flush()
    expect(getByLabelText(root, 'Print done').getAttribute('aria-invalid')).toBe('true')
    expect(getByLabelText(root, 'Paused').getAttribute('aria-invalid')).toBe('false')
    expect(root.textContent).toContain('Line 2 M112: M112 is the emergency stop.')
    expect(root.textContent).toContain('Nothing was saved')
    expect(document.activeElement).toBe(getByLabelText(root, 'Print done'))
    type('Print done', 'M117 over')
    expect(root.textContent).not.toContain('Line 2')
  })

  it('a change by somebody else does not throw away what is being written here', async () => {
    await show(<ScriptsForm kept={kept} />)
    type('Print done', 'M117 mine')
    act(() => render(<ScriptsForm kept={{ ...kept, scripts: kept.scripts.map((s) => ({ ...s, text: 'M117 theirs' })) }} />, root))
    await flush()
    expect(getByLabelText<HTMLTextAreaElement>(root, 'Print done').value).toBe('M117 mine')
  })

  it('cannot be changed by an operator', async () => {
    await show(<ScriptsForm kept={kept} />, { me: { id: 'o', name: 'o', role: 'operator', via: 'cookie' } })
    expect(getByLabelText<HTMLTextAreaElement>(root, 'Paused').disabled).toBe(true)
    expect(root.textContent).toContain('Only an owner')
  })
})

describe('buttons on the Move screen', () => {
  it('one without question is pressed at once, one with asks first', async () => {
    await show(<CustomButtons />)
    tap(button('Light'))
    expect(told).toEqual([{ do: 'press', button: 3 }])
    answer({})
    await flush()
    tap(button('Load'))
    expect(told).toHaveLength(1)
    expect(root.textContent).toContain('Is filament at hand?')
  })

  it('are off while nothing can be sent', async () => {
    await show(<CustomButtons />, { state: 'disconnected' })
    expect(button('Light').disabled).toBe(true)
  })
})

describe('the number of a button', () => {
  const load = readButtons(golden('buttons'), '').groups[0]?.buttons[1] as CustomButton

  it('steps within its limits, and what is outside cannot be sent', async () => {
    await show(<Ask button={load} onClose={() => {}} />)
    const input = getByLabelText<HTMLInputElement>(root, 'Temperature, °C')
    expect(input.value).toBe('210')
    tap(button('Temperature plus 5'))
    expect(input.value).toBe('215')
    type('Temperature, °C', '249')
    tap(button('Temperature plus 5'))
    expect(input.value).toBe('250')
    for (const wrong of ['251', '179', 'hot', '']) {
      type('Temperature, °C', wrong)
      expect(button('Load').disabled).toBe(true)
    }
    type('Temperature, °C', '200,5')
    tap(button('Load'))
    expect(told).toEqual([{ do: 'press', button: 4, value: 200.5 }])
  })

  it('is none while one of its texts is none', () => {
    const texts = { label: ' T ', unit: '', min: '1', max: '5', step: '0,5', default: '2' }
    expect(numberOf(texts)).toEqual({ label: 'T', unit: '', min: 1, max: 5, step: 0.5, default: 2 })
    expect(numberOf({ ...texts, max: 'five' })).toBeNull()
  })
})

describe('the editor of buttons', () => {
  it('adds one to its group with the id 0, and shows what is wrong with it', async () => {
    await show(<ButtonsPage />)
    tap(button('Add a button'))
    type('Label', ' Purge ')
    type('G-code, 1 to 20 lines', 'G1 E5\nM110')
    tap(button('Save button'))
    const [doing] = told
    expect(doing).toMatchObject({ do: 'set_buttons' })
    const groups = doing && 'groups' in doing ? doing.groups : []
    expect(groups[0]?.buttons.map((b) => [b.id, b.label])).toEqual([[3, 'Light'], [4, 'Load'], [0, 'Purge']])
    answer(refused([{ in: 'Purge', line: 2, message: 'M110 may not stand in a button' }]))
    await flush()
    expect(getByRole(root, 'alert').textContent).toContain('Line 2 M110')
    tap(button('Save button'))
    answer({})
    await flush()
    expect(queryByRole(root, 'dialog')).toBeNull()
  })

  it('puts into order, and deletes', async () => {
    await show(<ButtonsPage />)
    tap(button('Move Load up'))
    expect(told[0]).toMatchObject({ groups: [{ buttons: [{ id: 4 }, { id: 3 }] }] })
    answer({})
    await flush()
    tap(button(/^Light/))
    tap(button('Delete button'))
    expect(told[1]).toMatchObject({ groups: [{ buttons: [{ id: 4 }] }] })
  })

  // Another phone changes the buttons while a sheet is open here.
  const meanwhile = async (groups: unknown) => {
    vi.stubGlobal('fetch', (path: string) => Promise.resolve(new Response(JSON.stringify(path.endsWith('buttons') ? { groups } : golden('scripts')))))
    act(() => received(exampleState({ state: 'idle', job: null, settings_rev: (state.value?.settings_rev ?? 0) + 1 })))
    await flush()
  }
  const made = (golden('buttons') as { groups: { name: string; buttons: CustomButton[] }[] }).groups[0]!
  const said = () => told.map((d) => ('groups' in d ? d.groups.map((g) => [g.name, ...g.buttons.map((b) => `${b.id} ${b.label}`)]) : d.do))

  it('finds its button where it stands by now', async () => {
    await show(<ButtonsPage />)
    tap(button(/^Light/))
    await meanwhile([{ name: 'New', buttons: [] }, { ...made, name: 'Renamed', buttons: [...made.buttons].reverse() }])
    type('Label', 'Light!')
    tap(button('Save button'))
    expect(said()).toEqual([[['New'], ['Renamed', '4 Load', '3 Light!']]])
    answer({})
    await flush()
    tap(button(/^Light/))
    tap(button('Delete button'))
    expect(said()[1]).toEqual([['New'], ['Renamed', '4 Load']])
  })

  it('says so when its button or group is gone, and sends nothing', async () => {
    await show(<ButtonsPage />)
    tap(button(/^Light/))
    await meanwhile([{ ...made, buttons: made.buttons.slice(1) }])
    for (const name of ['Save button', 'Delete button']) {
      tap(button(name))
      expect(getByRole(root, 'alert').textContent).toContain('This button is no longer there')
    }
    tap(button('Close'))
    tap(button('Rename Filament'))
    await meanwhile([])
    tap(button('Save group'))
    expect(getByRole(root, 'alert').textContent).toContain('This group is no longer there')
    expect(told).toEqual([])
  })

  it('moves within its list only', () => {
    expect(moved([1, 2, 3], 0, 1)).toEqual([2, 1, 3])
    expect(moved([1, 2, 3], 2, -1)).toEqual([1, 3, 2])
    expect(moved([1, 2, 3], 0, -1)).toEqual([1, 2, 3])
    expect(moved([1, 2, 3], 2, 1)).toEqual([1, 2, 3])
  })
})

describe('profiles', () => {
  const profile = exampleState().profile

  it('another one is chosen, and the one in use cannot be deleted', async () => {
    await show(<ProfilesPage />)
    tap(button(/^Other/))
    tap(button('Use this profile'))
    expect(told).toEqual([{ do: 'choose_profile', name: 'Other' }])
    answer({})
    await flush()
    tap(button(/^Generic 220/))
    expect(button('Delete').disabled).toBe(true)
    expect(queryByRole(root, 'button', { name: 'Use this profile' })).toBeNull()
  })

  it('a new one begins as a preset', async () => {
    await show(<ProfilesPage />)
    tap(button('Add a profile'))
    const preset = readProfiles(golden('profiles'), '').presets[1] as Profile
    act(() => {
      fireEvent.change(getByRole(getByRole(root, 'dialog'), 'combobox', { name: 'Start from' }), { target: { value: preset.name } })
    })
    const sheet = getByRole(root, 'dialog')
    act(() => {
      fireEvent.input(getByLabelText(sheet, 'Name'), { target: { value: 'Mine' } })
    })
    tap(getByRole(sheet, 'button', { name: 'Save profile' }))
    expect(told).toEqual([{ do: 'save_profile', profile: { ...preset, name: 'Mine' } }])
  })

  it('the form asks for what several tools need', async () => {
    await show(<ProfileForm profile={profile} presets={[]} enabled printing={false} />)
    type('Tools', '2')
    type('Tool 2, X from tool 1', '-18')
    tap(button('Save profile'))
    expect(told[0]).toMatchObject({ do: 'set_profile', profile: { nozzles: 2, tools: [{ x_mm: 0, y_mm: 0 }, { x_mm: -18, y_mm: 0 }], shared_nozzle: false } })
    answer({})
    await flush()
    tap(getByLabelText(root, 'They share one nozzle'))
    tap(getByLabelText(root, /mixes their filaments/))
    tap(button('Save profile'))
    expect(told[1]).toMatchObject({ profile: { nozzles: 2, tools: [], shared_nozzle: true, mixing: true } })
    answer({})
    await flush()
    type('Tools', '1')
    expect(button('Save profile').disabled).toBe(true) // as it was: what several tools have together is gone
    type('Height, Z', '300')
    tap(button('Save profile'))
    expect(told[2]).toMatchObject({ profile: { height_mm: 300, nozzles: 1, tools: [], shared_nozzle: false, mixing: false } })
  })

  it('what is being edited stays when another phone saves, and else the new one is taken', async () => {
    const form = (change: Partial<Profile>) => <ProfileForm profile={{ ...profile, ...change }} presets={[]} enabled printing={false} />
    const values = () => ['Width, X', 'Lift by'].map((name) => getByLabelText<HTMLInputElement>(root, name).value)
    await show(form({}))
    await show(form({ lift_mm: 33 }))
    expect(values()).toEqual([String(profile.width_mm), '33'])
    type('Width, X', '123')
    await show(form({ lift_mm: 44 }))
    expect(values()).toEqual(['123', '33'])
    tap(button('Save profile'))
    answer({})
    await show(form({ width_mm: 123.5, lift_mm: 33 })) // what was saved here, as layerd keeps it
    expect(values()).toEqual(['123.5', '33'])
  })

  it('tools that share a nozzle have one heater', () => {
    const nozzles = [{ actual_c: 20, target_c: 0 }]
    const names = (change: Partial<Profile>) => heaterParts(exampleState({ nozzles, profile: { ...profile, nozzles: 3, ...change } })).map((p) => p.name)
    expect(names({})).toEqual(['Nozzle 1', 'Nozzle 2', 'Nozzle 3', 'Bed'])
    expect(names({ shared_nozzle: true })).toEqual(['Nozzle', 'Bed'])
  })

  it('are told apart in words', () => {
    expect(profileWords(profile)).toBe('220 × 220 × 250 mm')
    expect(profileWords({ ...profile, kinematics: 'delta', nozzles: 2 })).toBe('220 × 220 × 250 mm · delta · 2 nozzles')
    expect(profileWords({ ...profile, nozzles: 2, shared_nozzle: true })).toBe('220 × 220 × 250 mm · 2 filaments, one nozzle')
    expect(profileWords({ ...profile, nozzles: 2, shared_nozzle: true, mixing: true })).toBe('220 × 220 × 250 mm · mixes 2 filaments')
  })
})
