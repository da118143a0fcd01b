/**
 * The shapes of the JSON that describes images: OCI image-spec 1.1 (index, manifest, descriptor), Docker's manifest
 * list and manifest v2 schema 2, and manifest.json and repositories of Docker's archives. Only what is used is looked
 * at, and leniently: null where a list or a text could be is as good as nothing.
 */
import * as z from 'zod'
import { isDigest } from '../image/digest.ts'

const text = z.string().max(64 << 10)
const optionalText = text.nullish().transform(value => value ?? null)
const bytes = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)

const platform = z.object({ os: optionalText, architecture: optionalText, variant: optionalText })

export const descriptor = z.object({
  mediaType: optionalText,
  digest: text.refine(isDigest, 'it is no digest'),
  size: bytes,
  platform: platform.nullish().transform(value => value ?? null),
  annotations: z
    .record(z.string(), z.unknown())
    .nullish()
    .transform(value => value ?? {}),
  artifactType: optionalText,
  /** The content itself in base64 (OCI 1.1). */
  data: z
    .string()
    .nullish()
    .transform(value => value ?? null),
})
export type Descriptor = z.infer<typeof descriptor>

const descriptors = z.array(descriptor).max(20_000)

export const imageIndex = z.object({
  mediaType: optionalText,
  manifests: descriptors.nullish().transform(value => value ?? []),
})

export const imageManifest = z.object({
  mediaType: optionalText,
  artifactType: optionalText,
  config: descriptor,
  layers: descriptors.nullish().transform(value => value ?? []),
  subject: descriptor.nullish().transform(value => value ?? null),
})
export type ImageManifest = z.infer<typeof imageManifest>

/** What tells an index from a manifest where no media type does. */
export const anyManifest = z.object({
  mediaType: optionalText,
  manifests: z.array(z.unknown()).nullish(),
  layers: z.array(z.unknown()).nullish(),
  config: z.unknown().optional(),
  schemaVersion: z.unknown().optional(),
  fsLayers: z.unknown().optional(),
})

const dockerItem = z.object({
  Config: text,
  RepoTags: z
    .array(text)
    .max(10_000)
    .nullish()
    .transform(value => value ?? []),
  Layers: z
    .array(text)
    .max(10_000)
    .nullish()
    .transform(value => value ?? []),
  LayerSources: z
    .record(z.string(), z.object({ mediaType: optionalText }))
    .nullish()
    .transform(value => value ?? {}),
})
export type DockerItem = z.infer<typeof dockerItem>

/** manifest.json. Kept apart from its items: an archive with one bad image among good ones still opens. */
export const dockerManifest = z.array(dockerItem).max(10_000).nullable()

/** `repositories`: repository, tag, id of the top layer. */
export const repositories = z.record(z.string(), z.record(z.string(), text))

/** `<id>/json`: one layer of an archive of Docker before 1.10. */
export const v1Config = z.looseObject({ id: optionalText, parent: optionalText })
