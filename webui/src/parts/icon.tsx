// Line icons, 24 × 24, in the colour of the text. They say nothing to a screen reader: the control beside them has the name.

const paths = {
  print: 'M4 20h16M12 4v7M9 4h6M10 11l2 3 2-3M7 17h10',
  files: 'M3.5 7a2 2 0 0 1 2-2h4l2 2.5h7a2 2 0 0 1 2 2V17a2 2 0 0 1-2 2h-13a2 2 0 0 1-2-2z',
  move: 'M12 3v18M3 12h18M12 3l-2.5 2.5M12 3l2.5 2.5M12 21l-2.5-2.5M12 21l2.5-2.5M3 12l2.5-2.5M3 12l2.5 2.5M21 12l-2.5-2.5M21 12l-2.5 2.5',
  console: 'M4.5 5h15a1.5 1.5 0 0 1 1.5 1.5v11a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 17.5v-11A1.5 1.5 0 0 1 4.5 5zM7 9.5l3 2.5-3 2.5M12.5 15H17',
  settings: 'M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5',
  pause: 'M8.5 5v14M15.5 5v14',
  play: 'M8 5.5v13l10.5-6.5z',
  stop: 'M7 7h10v10H7z',
  octagon: 'M8.3 3h7.4L21 8.3v7.4L15.7 21H8.3L3 15.7V8.3zM12 7.5v5.5M12 16.3v.2',
  close: 'M6 6l12 12M18 6L6 18',
  back: 'M15 5l-7 7 7 7',
  next: 'M9 5l7 7-7 7',
  up: 'M5 15l7-7 7 7',
  down: 'M5 9l7 7 7-7',
  left: 'M15 5l-7 7 7 7',
  right: 'M9 5l7 7-7 7',
  home: 'M4 11.5L12 5l8 6.5M6.5 10v9h11v-9',
  upload: 'M12 16V5M7.5 9L12 4.5 16.5 9M4 16v2.5A1.5 1.5 0 0 0 5.5 20h13a1.5 1.5 0 0 0 1.5-1.5V16',
  download: 'M12 4v11M7.5 11l4.5 4.5 4.5-4.5M4 16v2.5A1.5 1.5 0 0 0 5.5 20h13a1.5 1.5 0 0 0 1.5-1.5V16',
  folder: 'M3.5 7a2 2 0 0 1 2-2h4l2 2.5h7a2 2 0 0 1 2 2V17a2 2 0 0 1-2 2h-13a2 2 0 0 1-2-2z',
  newfolder: 'M3.5 7a2 2 0 0 1 2-2h4l2 2.5h7a2 2 0 0 1 2 2V17a2 2 0 0 1-2 2h-13a2 2 0 0 1-2-2zM12 10.5v5M9.5 13h5',
  part: 'M12 3l8 4.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9',
  edit: 'M5 19l1-4L16.5 4.5l3 3L9 18zM14 7l3 3',
  trash: 'M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7M10.5 10.5v6M13.5 10.5v6',
  nozzle: 'M8 3.5h8v7H8zM8 10.5l3 5h2l3-5M12 18v2.5',
  bed: 'M3 17h18M5.5 20h13M8 13c-1.5-1.5 1.5-2.5 0-4M12 13c-1.5-1.5 1.5-2.5 0-4M16 13c-1.5-1.5 1.5-2.5 0-4',
  chamber: 'M4 4h16v16H4zM4 9h16M8 6.5h.01M12 17.5c-2-2 2-3.5 0-5.5',
  fan: 'M12 13.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM12 10.5c-1-3 0-6 2.5-6s3 3-1.5 6.3M13.3 12.8c3-.6 6 1 5.6 3.5-.5 2.5-3.6 2.5-6.2-1.6M10.7 12.8c-2 2.3-5.2 3.2-6.7 1.2s1-4.2 6.5-3',
  speed: 'M4.5 17.5a8.5 8.5 0 1 1 15 0M12 14l4-5',
  flow: 'M12 4c3.5 4 5.5 6.7 5.5 9.5a5.5 5.5 0 0 1-11 0C6.5 10.7 8.5 8 12 4z',
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5L20 20',
  link: 'M5 12.5a10 10 0 0 1 14 0M8 15.7a5.7 5.7 0 0 1 8 0M12 19h.01M3.5 4.5l17 16',
  camera: 'M4 8.5A1.5 1.5 0 0 1 5.5 7h2l1.5-2.5h6L16.5 7h2A1.5 1.5 0 0 1 20 8.5v9a1.5 1.5 0 0 1-1.5 1.5h-13A1.5 1.5 0 0 1 4 17.5zM12 16a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4z',
  expand: 'M9 4H4v5M15 4h5v5M9 20H4v-5M15 20h5v-5',
  lamp: 'M9.5 18h5M10.5 21h3M9 15c0-1.8-3-3-3-6.5a6 6 0 0 1 12 0c0 3.5-3 4.7-3 6.5z',
  undo: 'M4.5 9.5h9a5.5 5.5 0 0 1 0 11H8M8.5 5l-4 4.5 4 4.5',
  person: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM5 20c.5-4 3.2-6 7-6s6.5 2 7 6',
  people: 'M9 12a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM3 19.5c.4-3.5 2.7-5 6-5s5.6 1.5 6 5M15.5 5.3a3.5 3.5 0 0 1 0 6.4M17 14.8c2.3.6 3.7 2.2 4 4.7',
  key: 'M8 16.5a4.5 4.5 0 1 1 4.2-6.1H21v3.2h-2.5V16h-3v-2.4h-3.3A4.5 4.5 0 0 1 8 16.5zM7.5 12h.01',
  lock: 'M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  warn: 'M12 4l9 16H3zM12 10v4.5M12 17.3v.2',
  info: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5.5M12 7.6v.2',
  minus: 'M6 12h12',
  plus: 'M12 6v12M6 12h12',
  send: 'M4 12h15M13 6l6 6-6 6',
  power: 'M12 4v8M7 7a7.5 7.5 0 1 0 10 0',
  plug: 'M9 3v5M15 3v5M6.5 8h11v3.5a5.5 5.5 0 0 1-11 0zM12 17v4',
  queue: 'M4 6.5h16M4 12h16M4 17.5h9M18 14.5v6M15 17.5h6',
  grip: 'M9 6h.01M15 6h.01M9 12h.01M15 12h.01M9 18h.01M15 18h.01',
  spool: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM12 3v6M12 15v6',
  film: 'M4 5.5h16v13H4zM8 5.5v13M16 5.5v13M4 9.8h4M4 14.2h4M16 9.8h4M16 14.2h4',
  copy: 'M9 9h10.5v10.5H9zM5.5 15H4.5V4.5H15v1',
  qr: 'M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2.5v2.5M20 14v.01M14 20v-.01M20 17.5V20h-3',
  globe: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM3 12h18M12 3c2.6 2.7 3.9 5.7 3.9 9s-1.3 6.3-3.9 9c-2.6-2.7-3.9-5.7-3.9-9S9.4 5.7 12 3z',
  layers: 'M12 4l9 4.5-9 4.5-9-4.5zM4 12.5l8 4 8-4M4 16.5l8 4 8-4',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5.3l3.5 2',
} as const

export type IconName = keyof typeof paths

export function Icon({ name, size = 24 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8"
      stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  )
}

/** Something is under way. */
export function Spinner() {
  return <span class="spinner" aria-hidden="true" />
}
