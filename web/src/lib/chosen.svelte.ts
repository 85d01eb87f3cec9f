/** The group that is looked at alone, with its address; null where none is. */
import { shared } from './context'
import { nearestRank } from './groups'
import type { Group, Groups } from './types'

const USUAL = 6

/** To be called while a component is made. */
export function chosenGroup(): { readonly current: Group | null } {
  const microscope = shared()
  let groups = $state.raw<{ image: string; found: Groups } | null>(null)
  const wanted = $derived(microscope.view.group !== null)
  const image = $derived(microscope.photo?.id)
  const layer = $derived(microscope.layer?.name)
  $effect(() => {
    const asked = image
    if (!wanted || asked === undefined || layer === undefined) return
    let current = true
    microscope.api.study<Groups>(asked, 'groups', { layer }).then(
      (answer) => {
        if (current && 'ready' in answer) groups = { image: asked, found: answer.ready }
      },
      () => {}, // the figure of groups says why
    )
    return () => (current = false)
  })
  const found = $derived.by(() => {
    const { group, groups: count } = microscope.view
    if (group === null || groups?.image !== image || groups?.found.layer !== layer || !groups) return null
    return nearestRank(groups.found.ranks, count ?? USUAL).groups.find((each) => each.index === group) ?? null
  })
  return {
    get current() {
      return found
    },
  }
}
