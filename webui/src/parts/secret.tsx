// A secret that is shown once, with the ways to carry it away.
import { useRef, useState } from 'preact/hooks'
import { copyFrom } from '../copy'
import { Icon } from './icon'

interface SecretProps {
  label: string
  text: string
  /** What is shared, where the device can; "" = not offered. */
  share?: string
}

export function Secret({ label, text, share = '' }: SecretProps) {
  const shown = useRef<HTMLElement>(null)
  const [copied, setCopied] = useState('')
  const copy = async () => {
    if (shown.current) setCopied(await copyFrom(shown.current) ? 'Copied.' : 'It is selected: copy it by hand.')
  }
  return (
    <div class="secret">
      <p class="muted small">{label}</p>
      <code ref={shown} class="secret-text wrap" data-testid="secret" tabIndex={0}>{text}</code>
      <div class="card-actions">
        <button type="button" class="btn small" onClick={() => void copy()}><Icon name="files" size={20} /> Copy</button>
        {share !== '' && 'share' in navigator && (
          <button type="button" class="btn small" onClick={() => navigator.share({ title: share, url: text }).catch(() => undefined)}><Icon name="send" size={20} /> Share</button>
        )}
      </div>
      <p class="small" role="status">{copied}</p>
    </div>
  )
}
