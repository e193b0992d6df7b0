// Every message between the page and layerd; it mirrors internal/server/wire.go and what that embeds. The golden files in
// internal/server/testdata/wire are read by the tests of both sides. Keys carry their unit; times are Unix milliseconds, 0 for never.
import { bool, list, num, object, oneOf, or, orNull, record, str, WireError, type Of, type Read } from './read'
import type { PowerSettings, Way } from './power'

// ---- The printer ----

/** What the first load only carries: a part that is fetched later reads it. */
const carried: Read<unknown> = (v) => v

export const stateNames = [
  'disconnected', 'connecting', 'idle', 'starting', 'printing', 'pausing', 'paused', 'resuming', 'cancelling', 'finishing',
  'halting', 'halted', 'faulted',
] as const
export type StateName = (typeof stateNames)[number]

const heater = object({ actual_c: num, target_c: num })
const position = object({ x_mm: num, y_mm: num, z_mm: num, e_mm: num })
const portInfo = object({ path: str, name: str, vendor: str, product: str, serial: str, usb_path: str })

const connection = object({
  port: str, baud: num, firmware: str, dialect: str, machine: str, capabilities: record(bool), ports: list(portInfo), ask: bool,
  locked: bool, since_ms: num,
})

const profile = object({
  name: str, width_mm: num, depth_mm: num, height_mm: num, bed: oneOf('rectangle', 'circle'), origin: oneOf('corner', 'center'),
  kinematics: oneOf('cartesian', 'corexy', 'delta'), nozzles: num, shared_nozzle: bool, mixing: bool, tools: list(object({ x_mm: num, y_mm: num })),
  nozzle_mm: num, heated_bed: bool, heated_chamber: bool, max_nozzle_c: num, max_bed_c: num, max_chamber_c: num,
  park_x_mm: num, park_y_mm: num, lift_mm: num, retract_mm: num, travel_mm_s: num, lift_mm_s: num, extrude_mm_s: num,
  min_extrude_c: num,
})

export const readProfile = profile

/** A moment at which the printer stood still for a picture; while `still` it waits to be told that it is taken. */
const shot = object({ n: num, layer: num, at_ms: num, still: bool })

/** A pause that the print makes by itself, before the first line of a layer; passed: made, or being made. */
const stop = object({ layer: num, z_mm: num, change: bool, note: str, percent: num, passed: bool })

const job = object({
  id: str, file: str, name: str, by: str, started_ms: num, line: num, lines: num, offset: num, size: num, arcs: num, percent: num, layer: num,
  layers: num, z_mm: num, elapsed_s: num, left_s: num, left_by: str, rate: num, cruise_rate: num, slicer_left_s: num, printer_left_s: num, filament_mm: num, tools_mm: list(num), shot: orNull(shot), begun: num, stops: list(stop), watch: carried, check: carried, checks: carried, checks_s: carried, rehomed: carried, witnessed: carried,
  objects: num, object: num, skipped: list(num), left_out: list(num), // numbered from 0, as in GET /v1/objects/PATH; object -1 none
})

const outcome = object({
  id: str, file: str, name: str, outcome: str, reason: str, ended_ms: num, elapsed_s: num, line: num, layer: num, layers: num,
  z_mm: num, percent: num, lines_again: num, resend_percent: num, starved_s: num, starved_by: str, card: or(bool, false), filament_mm: num,
  tools_mm: list(num),
})

/** The printer's own memory card. */
const card = object({
  present: bool, printing: bool, paused: bool, id: str, file: str, name: str, bytes: num, size: num, percent: num, since_ms: num,
  elapsed_s: num, rev: num,
})

const tuning = object({
  babystep_mm: num, babystep_unsaved_mm: num, pressure_advance: orNull(num), acceleration_mm_s2: num, has_babystep: bool, has_advance: bool, has_acceleration: bool,
})

const pauseInfo = object({ by: str, message: str, filament: bool, layer: or(num, 0), held: bool, shift: carried })
const prompt = object({ id: num, text: str, buttons: list(str) })

const fault = object({ code: str, message: str, next: str, said: str, job: str, at_ms: num })
const halt = object({ asked_ms: num, confirmed: bool, unconfirmed: bool, said: str })
const lostPrint = object({ since_ms: num, asking: bool })
const linkStats = object({ sent: num, resends: num, probes: num, unknown: num, in_flight: num, in_flight_bytes: num, flow: str, window_bytes: num, queue_lines: num, shrinks: num })
const cooling = object({ standing_nozzle_min: num, standing_bed_min: num, idle_min: num })
const keeper = object({
  heated: bool, elsewhere: bool, nozzle_off_ms: num, bed_off_ms: num, nozzle_cooled_ms: num, bed_cooled_ms: num, protection: str, cooling,
})
const health = object({
  lines_again: num, resend_percent: num, checksum_errors: num, gap_errors: num, missing_checksum_errors: num, overruns: num,
  starved_s: num, starved_by: str, asked_lines_per_s: num, carried_lines_per_s: num, wire_percent: num,
})

// ---- The camera, the person ----

const cameraStatus = object({
  id: num, device: str, name: str, live: bool, problem: str, width: num, height: num, fps: num, since_ms: num, dropped: num,
})
const control = object({
  id: str, name: str, kind: oneOf('number', 'switch', 'choice'), min: num, max: num, step: num, default: num, value: num,
  choices: list(object({ value: num, name: str })), inactive: bool,
})
const cameraParts = { id: num, name: str, device: str, width: num, height: num, fps: num, rotate: num, flip_h: bool, flip_v: bool }
const cameraChange = object({ ...cameraParts, controls: orNull(record(num)) })
const cameraSetup = object({ ...cameraParts, controls: record(num), adjustable: list(control) })
const cameraDevice = object({ id: str, name: str })

export const roles = ['nobody', 'viewer', 'operator', 'owner'] as const
const appRequest = object({ id: str, app: str, from: str, at_ms: num })
export type AppRequest = ReturnType<typeof appRequest>
const identity = object({ id: str, name: str, role: oneOf(...roles), via: str })

// ---- Messages from layerd ----

/** GET /v1/state, and the state message of the live socket: everything a page shows. */
export const readState = object({
  type: or(oneOf('state'), 'state'),
  rev: num, at_ms: num, state: oneOf(...stateNames), connection, profile,
  nozzles: list(heater), bed: orNull(heater), chamber: orNull(heater), temps_at_ms: num, position: orNull(position), homed: bool,
  fan_percent: num, speed_percent: num, flow_percent: num, tuning, waiting: str,
  job: orNull(job), pause: orNull(pauseInfo), prompt: orNull(prompt), notice: or(str, ''), card: orNull(card), last_job: orNull(outcome), fault: orNull(fault),
  lost: orNull(lostPrint), halt: orNull(halt), switches: carried, calibration: carried, drilled: carried, witness: carried, guard: carried, keeper, link: linkStats, health,
  cameras: list(cameraStatus), lamp: orNull(object({ on: bool })), power: carried, preparing: orNull(object({ file: str, name: str, by: str })), files_rev: num, settings_rev: num, free_bytes: num, spools_rev: num, queue_rev: num, queued: num,
  timelapses_rev: num, timelapse: object({ id: str, frames: num, last_n: num, step: num, problem: str }), overlay: object({ kind: str, state: str, url: str, expires_ms: num, problem: str }), overlay_rev: num, host: object({ level: str, at_ms: num, id: str, name: str, found: str, do: str }), asking: list(appRequest), me: identity, version: str, new_version: bool, demo: bool, locked: record(str), now_ms: num,
})

const error = object({ code: str, message: str, next: or(str, ''), warnings: list(str), problems: list(object({ in: str, line: num, message: str })) })

/** The body of an HTTP error. */
export const readErrorBody = object({ error })

export const readAnswer = object({ type: oneOf('answer'), id: str, rev: or(num, 0), job: or(str, ''), error: orNull(error) })
export const readBeat = object({ type: oneOf('beat'), echo: orNull(num), now_ms: num })

const entry = object({ seq: num, at_ms: num, dir: oneOf('out', 'in', 'note'), text: str })
export const readConsole = object({ type: oneOf('console'), lines: list(entry) })

const file = object({
  path: str, name: str, folder: bool, bytes: num, modified_ms: num, sha256: str, thumbnail: bool, prints: num, last_outcome: str,
  estimate_s: num, filament_mm: num, layers: num,
})
export const readFile = file
export const readFileList = object({ files: list(file), free_bytes: num })

const print = object({
  id: str, file: str, sha256: str, by: str, started_ms: num, ended_ms: num, outcome: str, reason: str, fault: str, elapsed_s: num,
  filament_mm: num, line: num, offset: num, layer: num, layers: num, z_mm: num, percent: num, lines_again: num, resend_percent: num,
  starved_s: num, starved_by: str, has_picture: bool, has_curve: bool, has_log: bool, alarms: or(num, 0), filament_g: num, spools: str,
})
export const readPrintList = object({ prints: list(print) })

export const readChoices = object({
  presets: list(profile), cameras: list(cameraDevice), ports: list(portInfo), bauds: list(num), setups: list(cameraSetup),
  lamp: object({ on_lines: str, off_lines: str }), fit_arcs: bool, knows_arcs: bool,
})

export type State = Of<typeof readState>
export type Heater = Of<typeof heater>
export type PortInfo = Of<typeof portInfo>
export type Profile = Of<typeof profile>
export type Job = Of<typeof job>
export type Stop = Of<typeof stop>
export type Outcome = Of<typeof outcome>
export type CardStatus = Of<typeof card>
export type PauseInfo = Of<typeof pauseInfo>
export type Prompt = Of<typeof prompt>
export type Fault = Of<typeof fault>
export type Halt = Of<typeof halt>
export type Health = Of<typeof health>
export type Cooling = Of<typeof cooling>
export type Keeper = Of<typeof keeper>
export type CameraStatus = Of<typeof cameraStatus>
export type CameraSetup = Of<typeof cameraSetup>
export type CameraChange = Of<typeof cameraChange>
export type CameraControl = Of<typeof control>
export type Role = (typeof roles)[number]
export type ApiError = Of<typeof error>
export type Answer = Of<typeof readAnswer>
export type Beat = Of<typeof readBeat>
export type Entry = Of<typeof entry>
export type ConsoleLines = Of<typeof readConsole>
export type FileInfo = Of<typeof file>
export type FileList = Of<typeof readFileList>
export type Print = Of<typeof print>
export type PrintList = Of<typeof readPrintList>
export type Choices = Of<typeof readChoices>

export type FromServer = State | Answer | Beat | ConsoleLines

const typed = object({ type: str })

/** One text message of the live socket. Null for a type that this page does not know yet. */
export function readMessage(text: string): FromServer | null {
  const value: unknown = parse(text)
  switch (typed(value, '').type) {
    case 'state': return readState(value, '')
    case 'answer': return readAnswer(value, '')
    case 'beat': return readBeat(value, '')
    case 'console': return readConsole(value, '')
    default: return null
  }
}

/** parse is JSON.parse that fails as a WireError. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new WireError('message: not JSON')
  }
}

// ---- Messages to layerd ----

/** Buttons that a person has made; their reader is fetched later, in custom.ts. */
export interface ButtonGroup { name: string; buttons: readonly CustomButton[] }
export interface CustomButton { id: number; label: string; lines: string; confirm: string; number: ButtonNumber | null }
export interface ButtonNumber { label: string; unit: string; min: number; max: number; step: number; default: number }

/** What a command does and with what; the id is added by the link. */
export type Doing =
  | { do: 'start'; file: string; anyway?: boolean; over_limits?: boolean; record?: RecordChoice; watch?: GuardSettings['mode']; stops?: readonly StopAt[]; power_off?: boolean }
  | { do: 'start_card'; file: string }
  | { do: 'pause' | 'cancel'; job: string }
  | { do: 'resume'; job: string; anyway?: boolean }
  | { do: 'set_stop' | 'remove_stop'; job: string; stop: StopAt }
  | { do: 'skip_object' | 'keep_object'; job: string; object: number }
  | { do: 'answer'; prompt: number; button: number }
  | { do: 'send'; line: string }
  | { do: 'emergency_stop' | 'dismiss' | 'motors_off' | 'disconnect' | 'keep_warm' }
  | { do: 'home'; axes: string }
  | { do: 'babystep'; by_mm: number }
  | { do: 'set_advance'; tool: number; factor: number }
  | { do: 'set_acceleration'; acceleration_mm_s2: number }
  | { do: 'read_tuning' | 'save_babystep' | 'save_settings' }
  | { do: 'change_setting'; line: string }
  | { do: 'restore_settings'; copy: number }
  | { do: 'jog'; axes: 'x' | 'y' | 'z'; by_mm: number }
  | { do: 'extrude'; by_mm: number; mm_s?: number }
  | { do: 'set_nozzle'; tool: number; target_c: number }
  | { do: 'set_bed' | 'set_chamber'; target_c: number }
  | { do: 'set_fan' | 'set_speed' | 'set_flow'; percent: number }
  | { do: 'connect'; port: string; baud: number }
  | { do: 'set_profile' | 'save_profile'; profile: Profile }
  | { do: 'choose_profile' | 'delete_profile'; name: string }
  | { do: 'rename_profile'; name: string; to: string }
  | { do: 'set_scripts'; scripts: Record<string, string> }
  | { do: 'set_buttons'; groups: readonly ButtonGroup[] }
  | { do: 'press'; button: number; value?: number }
  | { do: 'set_camera'; camera: Partial<CameraChange> }
  | { do: 'remove_camera'; camera_id: number }
  | { do: 'set_control'; camera_id: number; name: string; value?: number }
  | { do: 'lamp'; on: boolean }
  | { do: 'set_lamp'; on_lines: string; off_lines: string }
  | { do: 'set_lamp'; way: Way }
  | { do: 'power'; on: boolean; anyway?: boolean }
  | { do: 'power_after'; on: boolean }
  | { do: 'set_power'; power: PowerSettings }
  | { do: 'reboot' | 'shutdown' }
  | { do: 'set_fit_arcs'; on: boolean }
  | { do: 'set_cooling'; cooling: Cooling }
  | { do: 'set_timelapse'; timelapse: TimelapseSettings }
  | { do: 'set_guard'; guard: GuardSettings }
  | { do: 'guard_setup'; empty: boolean }
  | { do: 'guard_drill'; axes: 'x' | 'y'; empty: boolean }
  | { do: 'guard_corners'; corners: readonly (readonly [number, number])[] }
  | { do: 'guard_cancel' }
  | { do: 'guard_check' | 'rehome' | 'false_alarm' | 'guard_seen'; job: string }
  | { do: 'set_overlay'; overlay: OverlaySettings; secret?: string }
  | { do: 'overlay_login'; secret?: string }
  | { do: 'overlay_leave' }
  | { do: 'restart' }
  | { do: 'allow_app'; app: string; role: Role }
  | { do: 'deny_app'; app: string }
  | { do: 'delete_file' | 'make_folder'; file: string }
  | { do: 'rename_file'; file: string; to: string }
  | { do: 'save_spool'; spool: SpoolEdit }
  | { do: 'set_spool'; tool: number; spool_id: number }
  | { do: 'queue_add'; file: string; copies: number }
  | { do: 'queue_move'; entry: number; before: number }
  | { do: 'queue_copies'; entry: number; copies: number }
  | { do: 'queue_remove'; entry: number }
  | { do: 'start_next'; entry: number; anyway?: boolean; power_off?: boolean; stops?: readonly StopAt[] }

/** Where a print is to pause: one of layer (before it), z_mm (before the first that reaches it) and this_layer (at its end). */
export interface StopAt { layer?: number | undefined; z_mm?: number | undefined; this_layer?: boolean; change?: boolean; note?: string }
/** How a print is recorded; the settings of all of them are read in films.ts. */
export interface RecordChoice { mode: 'off' | 'time' | 'layer'; every_s: number; park: boolean }
export interface OverlaySettings {
  kind: string
  tailnet: { name: string; control_url: string; tags: readonly string[]; vendor_logs: boolean; default_role: string }
  zerotier: { network: string }
}
/** How prints are watched for layer shifts. */
export interface GuardSettings { mode: 'off' | 'tell' | 'pause'; camera: number; share_percent: number; record: boolean; record_mb: number; pause_part: boolean }
export interface TimelapseSettings extends RecordChoice { camera: number; fps: number; budget_mb: number; limit_mb: number; render_early: boolean; keep_failed: boolean }

/** A spool as a person enters it; without left_g what is left stays as it was. */
export interface SpoolEdit {
  id?: number
  name: string
  material: string
  colour: string
  diameter_mm: number
  density_g_cm3: number
  weight_g: number
  spool_g: number
  cost: number
  archived: boolean
  left_g?: number
}

export type Command = Doing & { id: string }

const may = <T>(read: Read<T>): Read<T | undefined> => (v, at) => (v === undefined ? undefined : read(v, at))

/** Reads a command's shape; the page only writes them, so this is for the golden files. */
export const readCommand = object({
  id: str, do: str, job: may(str), object: may(num), prompt: may(num), button: may(num), file: may(str), to: may(str), anyway: may(bool), over_limits: may(bool), line: may(str), axes: may(str), by_mm: may(num),
  tool: may(num), target_c: may(num), percent: may(num), port: may(str), baud: may(num), profile: may(profile),
  camera: may(cameraChange), camera_id: may(num), on: may(bool), app: may(str), role: may(str), on_lines: may(str), off_lines: may(str), way: may((v) => v), power: may((v) => v), power_off: may(bool), cooling: may(cooling), factor: may(num), acceleration_mm_s2: may(num), copy: may(num),
  record: may((v) => v), stop: may((v) => v), stops: may(list((v) => v)), timelapse: may((v) => v), guard: may((v) => v), watch: may(str), empty: may(bool), corners: may(list(list(num))), overlay: may((v) => v), secret: may(str), mm_s: may(num), spool_id: may(num), entry: may(num), before: may(num), copies: may(num),
  spool: may(object({
    id: may(num), name: str, material: str, colour: str, diameter_mm: num, density_g_cm3: num, weight_g: num, spool_g: num, cost: num, archived: bool, left_g: may(num),
  })),
  name: may(str), value: may(num), scripts: may(record(str)), groups: may(list((v) => v)),
})

// ---- The camera socket ----

/** A frame, whose pieces frames.ts puts together. */
export interface Frame {
  camera: number
  stale: boolean
  smaller: boolean // made smaller for this link
  seq: number
  takenMs: number // server's clock
  width: number
  height: number
  ageMs: number // when its first message was written
  jpeg: Uint8Array<ArrayBuffer>
}

export const frameHeader = 28
const frameMost = 9 << 20

/** Reads the header of a frame's first message, and makes room for its picture. */
export function readFrame(data: ArrayBuffer): Frame {
  if (data.byteLength <= frameHeader) throw new WireError(`frame: ${data.byteLength} bytes`)
  const v = new DataView(data)
  if (v.getUint8(0) !== 2) throw new WireError(`frame: version ${v.getUint8(0)}`)
  const flags = v.getUint16(2)
  const bytes = v.getUint32(24)
  if (bytes > frameMost) throw new WireError(`frame: ${bytes} bytes`)
  return {
    camera: v.getUint8(1),
    stale: (flags & 1) !== 0,
    smaller: (flags & 2) !== 0,
    seq: v.getUint32(4),
    takenMs: Number(v.getBigInt64(8)),
    width: v.getUint16(16),
    height: v.getUint16(18),
    ageMs: v.getUint32(20),
    jpeg: new Uint8Array(bytes),
  }
}
