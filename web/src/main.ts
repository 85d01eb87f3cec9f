/** Start the page: before a server, or over the files of a published copy. */
import { mount } from 'svelte'

import App from './App.svelte'
import './app.css'
import { http, showBy } from './lib/api'
import { byHash, byPath } from './lib/navigation'
import { Published, siteOf } from './lib/published.svelte'

const site = siteOf(document)
const published = site && new Published(site)
if (published) showBy((layer, channel) => published.face(layer, channel))

const props = { api: published ?? http, navigation: site ? byHash(site.start) : byPath }
document.getElementById('opening')?.remove()
mount(App, { target: document.getElementById('page')!, props })
