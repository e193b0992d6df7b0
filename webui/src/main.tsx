// The page begins here.
import { render } from 'preact'
import { App, loadLater } from './app'
import { begin } from './session'
import { tick } from './state'
import './style/tokens.css'
import './style/base.css'
import './style/shell.css'
import './style/controls.css'
import './style/print.css'
import './style/files.css'
import './style/screens.css'
import './style/graph.css'
import './style/tune.css'
import './style/stops.css'
import './style/shelf.css'
import './style/custom.css'
import './style/camera.css'
import './style/film.css'
import './style/away.css'
import './style/people.css'
import './style/viewer.css'
import './style/guard.css'

setInterval(() => {
  if (document.visibilityState === 'visible') tick.value = Math.floor(Date.now() / 1000)
}, 1000)

const root = document.getElementById('app')
if (root) render(<App />, root)
void begin().then(loadLater)
