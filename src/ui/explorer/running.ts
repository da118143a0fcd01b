/** `r`: a new container of the image that is looked at. */
import type { Image, SourceKind } from '../../source/types.ts'
import { newContainer } from '../containers/new.ts'
import type { Ui } from '../ui.ts'

/** On the engine that has it, or on the native one, which runs it from wherever it is. */
export async function runOpened(ui: Ui, { reference, names, id, source }: Image): Promise<void> {
  const engine = engines[source] ?? null
  const name = engine === null ? reference : (names[0] ?? id)
  await newContainer(ui, { name, reference, engine })
}

/** Which kind of engine an image comes from. */
const engines: Partial<Record<SourceKind, string>> = {
  'docker-save': 'docker',
  'docker-store': 'docker',
  'docker-helper': 'docker',
  'containerd-store': 'docker',
  'podman-save': 'podman',
  'podman-helper': 'podman',
  'containers-storage': 'podman',
  'strata-store': 'native',
}
