// What the audit says, in words.
import type { AuditEntry } from './people'

// Commands and requests by their names on the wire; docs/PROTOCOL.md lists them.
const deeds: Record<string, string> = {
  setup: 'Became the owner', login: 'Logged in', logout: 'Logged out', confirm: 'Proved who they are', password: 'Changed their password',
  person_add: 'Let somebody in', person_change: "Changed somebody's account", person_remove: 'Removed somebody',
  token_add: 'Made a key', link_add: 'Made a view-only link', token_remove: 'Took back a key or link', session_end: 'Logged a device out',
  start: 'Started a print', start_card: "Started a print from the printer's card", start_next: 'Started the next of the queue', pause: 'Paused the print', resume: 'Resumed the print', cancel: 'Stopped the print',
  emergency_stop: 'Emergency stop', dismiss: 'Dismissed a fault', answer: "Answered the printer's question", send: 'Sent a line', press: 'Pressed a button', lamp: 'Switched the lamp',
  connect: 'Connected the printer', disconnect: 'Disconnected the printer', home: 'Homed', jog: 'Moved the head', extrude: 'Moved filament', motors_off: 'Switched the motors off',
  set_nozzle: 'Set the nozzle', set_bed: 'Set the bed', set_chamber: 'Set the chamber', set_fan: 'Set the fan', set_speed: 'Set the speed', set_flow: 'Set the flow', keep_warm: 'Kept it warm',
  upload: 'Uploaded a file', delete_file: 'Deleted a file', rename_file: 'Renamed a file', make_folder: 'Made a folder',
  queue_add: 'Queued a file', queue_remove: 'Took a file out of the queue', queue_move: 'Moved a file in the queue', queue_copies: 'Changed how many copies',
  set_profile: 'Changed the printer profile', set_scripts: 'Changed the scripts', set_buttons: 'Changed the buttons', set_camera: 'Changed a camera', set_cooling: 'Changed the safety times',
  set_overlay: 'Changed the way from outside', overlay_login: 'Joined the tailnet', overlay_leave: 'Left the tailnet',
}

/** What was done. A name that is not known is shown as it is, with spaces. */
export function deedText(what: string): string {
  const plain = what.replaceAll('_', ' ')
  return deeds[what] ?? plain.charAt(0).toUpperCase() + plain.slice(1)
}

const outcomes: Record<string, string> = {
  wrong_password: 'wrong name or password', wrong_key: 'wrong key', key_needed: 'wrong key', too_many_tries: 'too many wrong tries', role_too_low: 'not allowed', confirm: 'did not prove who they are',
  not_invited: 'not let in', last_owner: 'the last owner stays', cross_origin: 'came from another website',
}

/** How it ended: "" when it was done. */
export function outcomeWords({ outcome }: Pick<AuditEntry, 'outcome'>): string {
  return outcome === 'ok' ? '' : `Refused: ${outcomes[outcome] ?? outcome.replaceAll('_', ' ')}`
}
