/** The page of `coop serve`. */
import './main.css'
import { h, render } from 'preact'
import { keepAddress } from './address.ts'
import { notifyError } from './app.ts'
import { startAttention } from './attention/start.ts'
import { listenForShortcuts } from './commands.ts'
import { takeToken } from './connection/sign-in.ts'
import { comeBack, enter, watchNetwork } from './enter.ts'
import { Page } from './page.tsx'
import { paint } from './settings/settings.ts'

// First of all: nothing else may see the token in the address.
const token = takeToken(location, history)
paint(document.documentElement)
keepAddress()
startAttention()
if (matchMedia('(any-pointer: coarse)').matches)
  void import('./phone/start.ts').then(({ startPhone }) => startPhone(), notifyError)
listenForShortcuts()
watchNetwork()
if (token === undefined) comeBack()
else
  void enter(token).catch((error) => {
    notifyError(error)
    comeBack() // signed in earlier, perhaps
  })
render(h(Page, {}), document.body)
void import('./previews/start.ts').then(({ startPreviews }) => startPreviews(), notifyError)
