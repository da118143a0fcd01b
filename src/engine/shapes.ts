/**
 * What engines answer, read leniently: Docker and Podman of all versions disagree on what is null, what is missing and
 * what has a prefix. A field that is not what it should be becomes its default; everything is bounded.
 */
import * as z from 'zod'
import type { EngineHistoryRow, EngineImage, EngineInfo, ImageFacts } from './engine.ts'
import { digestOf, flag, labels, lenient, most, number, text, texts } from './fields.ts'

/** `GET /images/json` */
export const imageListShape: z.ZodType<EngineImage[]> = z
  .array(z.unknown())
  .nullable()
  .transform(list => (list ?? []).slice(0, most.images).map(one => listedImage(lenient(listItem, one))))

/** `GET /images/NAME/json` */
export const imageFactsShape: z.ZodType<ImageFacts> = z.looseObject({ Id: z.string() }).transform(raw => {
  const image = lenient(inspected, raw)
  return {
    id: digestOf(image.Id),
    names: namesOf(image.RepoTags),
    digests: image.RepoDigests,
    parent: image.Parent === '' ? null : digestOf(image.Parent),
    created: image.Created || null,
    size: image.Size,
    os: image.Os,
    architecture: image.Architecture,
    variant: image.Variant || null,
    author: image.Author || null,
    diffIds: image.RootFS.Layers,
    config: image.Config,
    driver: image.GraphDriver.Name || null,
    topDirectory: image.GraphDriver.Data.UpperDir || null,
    manifest: manifestOf(image) || image.Descriptor.digest || null,
    raw,
  }
})

/** `GET /images/NAME/history`, oldest row first. */
export const historyShape: z.ZodType<EngineHistoryRow[]> = z
  .array(z.unknown())
  .nullable()
  .transform(list =>
    (list ?? [])
      .slice(0, most.rows)
      .map(one => historyRow(lenient(historyItem, one)))
      .reverse(),
  )

/** `GET /info` */
export const infoShape: z.ZodType<EngineInfo> = z.looseObject({}).transform(raw => {
  const info = lenient(infoItem, raw)
  const snapshotter = info.DriverStatus.some(pair => pair[1]?.startsWith('io.containerd.snapshotter'))
  return {
    root: info.DockerRootDir || null,
    driver: info.Driver,
    containerdStore: snapshotter,
    os: info.OperatingSystem,
    architecture: info.Architecture,
    rootless: info.Rootless || info.SecurityOptions.some(one => /^name=rootless/.test(one)),
    usernsRemap: info.SecurityOptions.some(one => /^name=userns/.test(one)),
    version: info.ServerVersion,
  }
})

/** `GET /_ping`: `OK`, or nothing. */
export const pingShape = z.unknown()

const listItem = z.object({
  Id: text,
  ParentId: text,
  RepoTags: texts,
  RepoDigests: texts,
  Created: number,
  Size: number,
  SharedSize: z.number().catch(-1),
  Containers: z.number().catch(-1),
  Labels: labels,
})

const inspected = z.object({
  Id: text,
  RepoTags: texts,
  RepoDigests: texts,
  Parent: text,
  Created: text,
  Size: number,
  Os: text,
  Architecture: text,
  Variant: text,
  Author: text,
  Config: z.unknown().optional(),
  RootFS: z.object({ Layers: texts }).catch({ Layers: [] }),
  GraphDriver: z
    .object({ Name: text, Data: z.object({ UpperDir: text }).catch({ UpperDir: '' }) })
    .catch({ Name: '', Data: { UpperDir: '' } }),
  Descriptor: z.object({ digest: text }).catch({ digest: '' }),
  Manifests: z
    .array(
      z.object({
        Kind: text,
        Available: flag,
        Descriptor: z.object({ digest: text }).catch({ digest: '' }),
        ImageData: z
          .object({ Platform: z.object({ os: text, architecture: text, variant: text }) })
          .nullish()
          .catch(null),
      }),
    )
    .catch([]),
})

const historyItem = z.object({ Id: text, Created: number, CreatedBy: text, Size: number, Comment: text })

const infoItem = z.object({
  DockerRootDir: text,
  Driver: text,
  DriverStatus: z.array(texts).catch([]),
  OperatingSystem: text,
  Architecture: text,
  Rootless: flag,
  SecurityOptions: texts,
  ServerVersion: text,
})

function listedImage(image: z.infer<typeof listItem>): EngineImage {
  return {
    id: digestOf(image.Id),
    names: namesOf(image.RepoTags),
    digests: image.RepoDigests,
    parent: image.ParentId === '' ? null : digestOf(image.ParentId),
    created: image.Created > 0 ? image.Created : null,
    size: image.Size,
    shared: image.SharedSize > 0 ? image.SharedSize : null,
    containers: image.Containers >= 0 ? image.Containers : null,
    labels: image.Labels,
  }
}

function historyRow(row: z.infer<typeof historyItem>): EngineHistoryRow {
  return {
    imageId: /^(?:sha256:)?[0-9a-f]{64}$/.test(row.Id) ? digestOf(row.Id) : null,
    created: row.Created === 0 ? null : row.Created,
    createdBy: row.CreatedBy,
    size: row.Size,
    comment: row.Comment || null,
  }
}

/** Docker before 1.43 names what has no name `<none>:<none>`. */
function namesOf(tags: string[]): string[] {
  return tags.filter(tag => !tag.includes('<none>'))
}

/** Of the manifests that an index leads to, the one that was inspected: its digest; '' when that is not told. */
function manifestOf({ Os, Architecture, Variant, Manifests }: z.infer<typeof inspected>): string {
  const same = Manifests.filter(({ Kind, Available, ImageData }) => {
    const { os = '', architecture = '', variant = '' } = ImageData?.Platform ?? {}
    return Kind === 'image' && Available && os === Os && architecture === Architecture && (variant || '') === Variant
  })
  return same.length === 1 ? same[0].Descriptor.digest : ''
}
