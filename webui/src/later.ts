// The screens that are not needed to watch a print. They come as one second file, fetched once the first screen stands, so that a phone on a
// slow link sees its printer sooner.
export { seekPrinters } from './overlay'
export { ConsoleScreen } from './screens/console'
export { MoveScreen } from './screens/move'
export { SettingsScreen } from './screens/settings'
