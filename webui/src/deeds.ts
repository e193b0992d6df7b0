// What the audit says, in words.
import type { AuditEntry } from './people'

// Commands and requests by their names on the wire; docs/PROTOCOL.md lists them.
const deeds: Record<string, string> = {
  set_up: 'Set-up by the first owner', login: 'Login', logout: 'Logout', confirm: 'Asked again who it is', set_password: 'Changed their password',
  add_person: 'Let somebody in', change_person: "Changed somebody's account", remove_person: 'Removed somebody',
  add_key: 'Made a key or link', remove_key: 'Took back a key or link', end_session: 'Logged a device out', lost: 'Not written down',
  start: 'Started a print', start_card: "Started a print from the printer's card", start_next: 'Started the next of the queue', pause: 'Paused the print', resume: 'Resumed the print', cancel: 'Stopped the print',
  skip_object: 'Skipped an object', keep_object: 'Had an object printed after all',
  set_stop: 'Set a pause', remove_stop: 'Took back a pause', emergency_stop: 'Emergency stop', dismiss: 'Dismissed a fault', answer: "Answered the printer's question", send: 'Sent a line', press: 'Pressed a button', lamp: 'Switched the lamp', power: 'Switched the power', power_after: 'Chose whether the power goes off', set_power: "Changed the power's switch", set_lamp: "Changed the lamp's switch", try_power: 'Tested a switch', reboot: 'Restarted the computer', shutdown: 'Shut the computer down', restart: 'Restarted layerd',
  connect: 'Connected the printer', disconnect: 'Disconnected the printer', home: 'Homed', jog: 'Moved the head', extrude: 'Moved filament', motors_off: 'Switched the motors off',
  set_nozzle: 'Set the nozzle', set_bed: 'Set the bed', set_chamber: 'Set the chamber', set_fan: 'Set the fan', set_speed: 'Set the speed', set_flow: 'Set the flow', keep_warm: 'Kept it warm',
  guard_setup: 'Set up the watch for layer shifts', guard_cancel: 'Stopped the set-up of the watch', guard_corners: 'Showed the bed to the watch', set_guard: 'Changed how prints are watched', guard_drill: 'Made a fire drill', guard_check: 'Had the head checked', rehome: 'Re-homed X and Y in a print', false_alarm: 'Called an alarm false', guard_seen: 'Saw an alarm', download_recording: 'Downloaded a recording', delete_recording: 'Deleted a recording',
  upload: 'Uploaded a file', download: 'Downloaded a file', delete_timelapse: 'Deleted a timelapse', render_timelapse: 'Made a video anew', read_mesh: 'Read the mesh', probe_mesh: 'Measured the bed', delete_copy: "Deleted a copy of the printer's settings", delete_file: 'Deleted a file', rename_file: 'Renamed a file', make_folder: 'Made a folder',
  queue_add: 'Queued a file', queue_remove: 'Took a file out of the queue', queue_move: 'Moved a file in the queue', queue_copies: 'Changed how many copies',
  set_profile: 'Changed the printer profile', set_scripts: 'Changed the scripts', set_buttons: 'Changed the buttons', set_camera: 'Changed a camera', set_cooling: 'Changed the safety times', set_fit_arcs: 'Switched curves as arcs',
  set_overlay: 'Changed the way from outside', overlay_login: 'Joined the tailnet', overlay_leave: 'Left the tailnet',
  backup: 'Downloaded a backup', allow_app: 'Gave a program its key', deny_app: 'Refused a program its key',
}

/** What was done. A name that is not known is shown as it is, with spaces. */
export function deedText(what: string): string {
  const plain = what.replaceAll('_', ' ')
  return deeds[what] ?? plain.charAt(0).toUpperCase() + plain.slice(1)
}

const outcomes: Record<string, string> = {
  wrong_password: 'wrong name or password', not_proven: 'wrong password or key', key_needed: 'wrong key', too_many_tries: 'too many wrong tries', role_too_low: 'not allowed', confirm: 'did not prove who they are',
  not_invited: 'not let in', last_owner: 'the last owner stays', cross_origin: 'came from another website',
}

/** How it ended: "" when it was done. */
export function outcomeWords({ outcome }: Pick<AuditEntry, 'outcome'>): string {
  return outcome === 'ok' ? '' : `Refused: ${outcomes[outcome] ?? outcome.replaceAll('_', ' ')}`
}
