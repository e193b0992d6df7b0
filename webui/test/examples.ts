// States to test with.
import type { Alarm, Guard, Layer, Witness } from '../src/guard'
import type { Entry, Shelf, Spool } from '../src/shelf'
import type { FileInfo, Health, Job, State } from '../src/wire'

export const fine: Health = {
  lines_again: 0, resend_percent: 0, checksum_errors: 0, gap_errors: 0, missing_checksum_errors: 0, overruns: 0, starved_s: 0, starved_by: '',
  asked_lines_per_s: 0, carried_lines_per_s: 0, wire_percent: 20,
}

export const job: Job = {
  id: 'j1', file: 'toys/benchy.gcode', name: 'benchy.gcode', by: 'phone', started_ms: 1_700_000_000_000, line: 500, lines: 1000,
  offset: 1, size: 2, arcs: 0, percent: 42.9, layer: 84, layers: 240, z_mm: 16.8, elapsed_s: 3120, left_s: 4330, left_by: 'print', rate: 1.25, cruise_rate: 1.25, slicer_left_s: 4100, printer_left_s: 4080, filament_mm: 1200, tools_mm: [1200], shot: null, begun: 84, stops: [], watch: null, check: null, checks: 0, checks_s: 0, rehomed: null, witnessed: 0,
  objects: 0, object: -1, skipped: [], left_out: [],
}

export function exampleState(change: Partial<State> = {}): State {
  return {
    type: 'state', rev: 10, at_ms: 1_700_000_000_000, state: 'printing',
    connection: { port: '/dev/ttyUSB0', baud: 115200, firmware: 'Marlin 2.1', dialect: 'marlin', machine: 'Ender-3', capabilities: {}, ports: [], ask: false, locked: false, since_ms: 1 },
    profile: {
      name: 'Ender-3', width_mm: 220, depth_mm: 220, height_mm: 250, bed: 'rectangle', origin: 'corner', kinematics: 'cartesian', nozzles: 1, shared_nozzle: false, mixing: false, tools: [], nozzle_mm: 0.4,
      heated_bed: true, heated_chamber: false, max_nozzle_c: 260, max_bed_c: 110, max_chamber_c: 60, park_x_mm: 5, park_y_mm: 210,
      lift_mm: 10, retract_mm: 2, travel_mm_s: 100, lift_mm_s: 8, extrude_mm_s: 3, min_extrude_c: 170,
    },
    nozzles: [{ actual_c: 214.6, target_c: 215 }], bed: { actual_c: 60, target_c: 60 }, chamber: null, temps_at_ms: 1_700_000_000_000,
    position: { x_mm: 1, y_mm: 2, z_mm: 3, e_mm: 4 }, homed: true, fan_percent: 100, speed_percent: 100, flow_percent: 100, waiting: '',
    tuning: { babystep_mm: 0, babystep_unsaved_mm: 0, pressure_advance: 0.08, acceleration_mm_s2: 500, has_babystep: true, has_advance: true, has_acceleration: true },
    job, pause: null, prompt: null, notice: '', card: null, last_job: null, fault: null, lost: null, halt: null, switches: null, calibration: null, drilled: null, witness: null, guard: null,
    asking: [],
    link: { sent: 1, resends: 0, probes: 0, unknown: 0, in_flight: 1, in_flight_bytes: 34, flow: 'full', window_bytes: 119, queue_lines: 4, shrinks: 0 },
    health: fine,
    keeper: { heated: true, elsewhere: false, nozzle_off_ms: 0, bed_off_ms: 0, nozzle_cooled_ms: 0, bed_cooled_ms: 0, protection: 'on', cooling: { standing_nozzle_min: 10, standing_bed_min: 120, idle_min: 30 } },
    cameras: [{ id: 0, device: 'none', name: '', live: false, problem: '', width: 0, height: 0, fps: 0, since_ms: 0, dropped: 0 }],
    preparing: null, lamp: null, power: null,
    files_rev: 1, settings_rev: 1, free_bytes: 1e9, spools_rev: 1, queue_rev: 1, queued: 0, timelapses_rev: 1, timelapse: { id: '', frames: 0, last_n: 0, step: 1, problem: '' }, overlay: { kind: 'none', state: 'off', url: '', expires_ms: 0, problem: '' }, overlay_rev: 1, host: { level: 'ok', at_ms: 1_700_000_000_000, id: '', name: '', found: '', do: '' }, me: { id: 't1', name: 'phone', role: 'owner', via: 'session' }, version: '1', new_version: false, demo: false, locked: {},
    now_ms: 1_700_000_000_000,
    ...change,
  }
}

export function exampleFile(path: string, change: Partial<FileInfo> = {}): FileInfo {
  return {
    path, name: path.slice(path.lastIndexOf('/') + 1), folder: false, bytes: 1000, modified_ms: 1000, sha256: 'abc', thumbnail: false,
    prints: 0, last_outcome: '', estimate_s: 0, filament_mm: 0, layers: 0, ...change,
  }
}

export const spool = (change: Partial<Spool> = {}): Spool => ({
  id: 2, name: 'PLA orange', material: 'PLA', colour: '#ff8800', diameter_mm: 1.75, density_g_cm3: 1.24, weight_g: 1000, spool_g: 0, cost: 20, archived: false,
  used_mm: 327_183, left_mm: 8100, left_g: 24.2, ...change,
})

export const exampleShelf = (change: Partial<Shelf> = {}): Shelf => ({
  source: 'layerd', spools: [spool(), spool({ id: 1, name: 'PETG', material: 'PETG', left_mm: 0, left_g: 0 }), spool({ id: 3, name: 'Old', archived: true })],
  active: [{ tool: 0, spool: 2, name: 'PLA orange', g_per_m: 2.98 }], at_ms: 0, problem: '', ...change,
})

export const queued = (id: number, name: string, change: Partial<Entry> = {}): Entry => ({
  id, file: name, copies: 1, by: 'phone', added_ms: 1, print: '', name, gone: false, estimate_s: 600, filament_mm: 1000, thumbnail: false, sha256: 'abc', ...change,
})

export const witness = (change: Partial<Witness> = {}): Witness => ({ status: 'unset', why: '', at_ms: 0, said: '', detects_x_mm: 0, detects_y_mm: 0, ...change })

/** A guard that was never set up. */
export const exampleGuard = (change: Partial<Guard> = {}): Guard => ({
  mode: 'off', settings: { mode: 'pause', camera: 0, share_percent: 1, record: false, record_mb: 500, pause_part: true }, job: '', endstops: witness(), camera: witness(), outline: witness(), firmware: witness(), card: null, bed_ms: 0, corners: null,
  setup: null, drill: null, layers: [], alarm: null, recording: false, unkept: '', notice: '', ...change,
})

export const seenLayer = (layer: number, x_mm: number | null, y_mm: number | null, change: Partial<Layer> = {}): Layer => ({ layer, at_ms: 1_700_000_000_000, x_mm, y_mm, check: '', blind: '', ...change })

export const exampleAlarm = (change: Partial<Alarm> = {}): Alarm => ({
  id: 7, at_ms: 1_700_000_000_000, layer: 143, since: 142, spoiled: 2, sentence: 'The head is 1.6 mm right of where it should be (8 lost steps), since layer 142.', confirmed: true, part: false, x_mm: 1.6, y_mm: 0,
  paused: true, statements: [{ witness: 'camera', said: 'The head stands 1.5 mm further <b>right</b>.', at_ms: 1 }, { witness: 'endstops', said: 'X is off by 1.6 mm.', at_ms: 2 }], pictures: true, before_layer: 15, after_layer: 17,
  crop: [0.25, 0.25, 0.5, 0.5], arrows: [], rehoming: null, job: 'j1', label: '', ...change,
})
