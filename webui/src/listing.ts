// Which files the Files screen lists, and in what order. Pure.
import type { FileInfo } from './wire'

export type Order = 'newest' | 'name' | 'size'

/** The folder of a path, "" at the top. */
export function folderOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? '' : path.slice(0, slash)
}

export function join(folder: string, name: string): string {
  return folder ? `${folder}/${name}` : name
}

/** What is directly in a folder; with words to search for, every file below it that has them all in its path. Folders come first. */
export function listing(files: readonly FileInfo[], folder: string, search: string, order: Order): FileInfo[] {
  const words = search.toLocaleLowerCase().split(/\s+/).filter(Boolean)
  const inside = folder ? folder + '/' : ''
  const found = files.filter((f) => {
    if (words.length === 0) return folderOf(f.path) === folder
    const path = f.path.toLocaleLowerCase()
    return f.path.startsWith(inside) && words.every((word) => path.includes(word))
  })
  return found.sort((a, b) => {
    if (a.folder !== b.folder) return a.folder ? -1 : 1
    if (!a.folder && order === 'newest' && a.modified_ms !== b.modified_ms) return b.modified_ms - a.modified_ms
    if (!a.folder && order === 'size' && a.bytes !== b.bytes) return b.bytes - a.bytes
    return a.name.localeCompare(b.name, undefined, { numeric: true, sensitivity: 'base' })
  })
}

/** The name that layerd gives to what it unpacks: cube.bgcode, cube.ufp and cube.gcode.gz all become cube.gcode. */
export function unpackedName(name: string): string {
  return name.replace(/\.gz$/i, '').replace(/(\.(?:gcode|gco|gc?|nc))?\.(?:bgcode|bgc|ufp|3mf|zip)$/i, (_, inner?: string) => inner ?? '.gcode')
}

/** How many files are below a folder. */
export function countIn(files: readonly FileInfo[], folder: string): number {
  return files.filter((f) => !f.folder && f.path.startsWith(folder + '/')).length
}

/** A path that no file has: name (2).gcode. */
export function freePath(path: string, known: ReadonlySet<string>): string {
  const dot = path.lastIndexOf('.')
  const [stem, ending] = dot > path.lastIndexOf('/') ? [path.slice(0, dot), path.slice(dot)] : [path, '']
  for (let n = 2; ; n++) {
    const candidate = `${stem} (${n})${ending}`
    if (!known.has(candidate)) return candidate
  }
}
