/** Start the page: before a server, or over the files of a published copy. */
import { mount } from 'svelte'

import App from './App.svelte'
import './app.css'
import { http } from './lib/api'
import { byHash, byPath } from './lib/navigation'
import { Published, siteOf } from './lib/published.svelte'

const site = siteOf(document)

const props = { api: site ? new Published(site) : http, navigation: site ? byHash(site.start) : byPath }
document.getElementById('opening')?.remove()
mount(App, { target: document.getElementById('page')!, props })
