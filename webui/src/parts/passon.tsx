// An address that has to come to another device: shown whole, opened, copied, shared, or read by a phone's camera.
import { useRef, useState } from 'preact/hooks'
import { isWeb } from '../overlay'
import { notify } from '../state'
import { Icon } from './icon'

interface PassOnProps {
  address: string
  qr: string // a picture as a data: address; "" none
  open: string // what the button says that opens it
  what: string // the address is of, in the words of the picture
}

export function PassOn({ address, qr, open, what }: PassOnProps) {
  const text = useRef<HTMLElement>(null)
  const [shown, setShown] = useState(false)
  const copied = async () => {
    if (await copy(address, text.current)) notify('good', 'Copied.')
    else notify('error', 'This browser does not let the page copy.', 'The address is selected: copy it by hand.')
  }
  return (
    <div class="pass-on">
      <code ref={text} class="pass-on-text wrap" data-testid="address">{address}</code>
      <div class="card-actions">
        {isWeb(address) && <a class="btn primary" href={address} target="_blank" rel="noreferrer">{open}</a>}
        <button type="button" class="btn" onClick={() => void copied()}><Icon name="copy" size={20} /> Copy</button>
        {'share' in navigator && <button type="button" class="btn" onClick={() => void navigator.share({ url: address }).catch(() => undefined)}><Icon name="upload" size={20} /> Share</button>}
        {qr && <button type="button" class="btn" aria-expanded={shown} onClick={() => setShown(!shown)}><Icon name="qr" size={20} /> QR code</button>}
      </div>
      {qr && shown && <QR picture={qr} what={what} />}
    </div>
  )
}

export function QR({ picture, what }: { picture: string; what: string }) {
  return (
    <figure class="qr-code">
      <img src={picture} alt={`QR code of ${what}`} />
      <figcaption class="muted small">Point a phone's camera at it.</figcaption>
    </figure>
  )
}

/** Copies text; where the browser allows that only with HTTPS, by the selection, which stays when even that fails. */
async function copy(text: string, shown: HTMLElement | null): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    if (!shown) return false
    getSelection()?.selectAllChildren(shown)
    const done = document.execCommand('copy')
    if (done) getSelection()?.removeAllRanges()
    return done
  }
}
