// On the Print screen: back through the frames of the print under way.
import { useState } from 'preact/hooks'
import { state } from '../state'
import type { State } from '../wire'
import { FramePlayer } from './frameplayer'
import { Icon } from './icon'
import { Sheet } from './sheet'

const fps = 10

export function LookBack({ now: t }: { now: State['timelapse'] }) {
  const [open, setOpen] = useState(false)
  return (
    <div class="lookback">
      {t.id !== '' && <button type="button" class="btn wide" aria-haspopup="dialog" onClick={() => setOpen(true)}><Icon name="film" /> Look back <span class="muted num">· {t.frames === 1 ? '1 frame' : `${t.frames} frames`}</span></button>}
      {t.problem && <p class="why" role="status"><Icon name="warn" size={18} />{t.problem}</p>}
      {open && t.id !== '' && (
        <Sheet title="Look back" onClose={() => setOpen(false)}>
          <FramePlayer id={t.id} last={t.last_n} step={t.step} fps={fps} growing />
          {state.value?.job && <p class="muted small wrap">{state.value.job.name}</p>}
        </Sheet>
      )}
    </div>
  )
}
