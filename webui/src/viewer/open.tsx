// Opens the viewer, which is fetched then.
import { notify, over } from '../state'

export async function openViewer(path: string, name: string, follow = false): Promise<void> {
  try {
    const { Viewer } = await import('./viewer')
    await new Promise((on) => setTimeout(on, 0)) // reading the script was enough for one task
    over.value = () => <Viewer path={path} name={name} follow={follow} onClose={() => (over.value = null)} />
  } catch {
    notify('error', 'This part of the page could not be loaded.', 'Try again.')
  }
}
