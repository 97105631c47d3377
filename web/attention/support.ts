/** Whether this browser can show notifications of this page, and why not. */

export type Support =
  | { readonly is: 'granted' }
  /** Nobody was asked yet. */
  | { readonly is: 'askable' }
  | { readonly is: 'denied' }
  | { readonly is: 'unsupported'; readonly why: string }

/** What is looked at; a part of `window`. */
export interface Browser {
  readonly isSecureContext: boolean
  readonly Notification?: { readonly permission: NotificationPermission } | undefined
  readonly navigator: { readonly serviceWorker?: unknown; readonly userAgent: string }
  matchMedia(query: string): { readonly matches: boolean }
}

export function supportIn({ isSecureContext, Notification, navigator, matchMedia }: Browser): Support {
  if (!isSecureContext)
    return {
      is: 'unsupported',
      why: 'Browsers notify only for pages from this machine, and for encrypted ones (coop serve --tls).',
    }
  const isPhoneOfApple = /\b(?:iPhone|iPad)\b/.test(navigator.userAgent)
  if (isPhoneOfApple && !Notification && !matchMedia('(display-mode: standalone)').matches)
    return { is: 'unsupported', why: 'Add this page to the home screen first, and open it from there.' }
  if (!Notification || !navigator.serviceWorker)
    return { is: 'unsupported', why: 'This browser has no notifications for pages.' }
  const { permission } = Notification
  if (permission === 'granted') return { is: 'granted' }
  return permission === 'denied' ? { is: 'denied' } : { is: 'askable' }
}
