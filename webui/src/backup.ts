// What layerd says before it gives a backup. Only the page that fetches one needs this.
import { get } from './api'
import { num, object, str, type Of } from './read'

export const readBackupReady = object({ name: str, files_bytes: num, timelapse_bytes: num })
export type BackupReady = Of<typeof readBackupReady>

/** Asked first, because a browser that fetches an address itself can show nobody's password. */
export const getBackupReady = (): Promise<BackupReady> => get('/v1/backup/ready', readBackupReady)
