/** Secrets that a later layer deleted or replaced: everyone who has the image can still read them. */
import { Buffer } from 'node:buffer'
import { formatCount } from '../base/sizes.ts'
import type { Advice } from './advise.ts'
import { type Context, instructionOf, pathText, Sum, stepName, stepsOfLayers } from './context.ts'

/** One advice for each layer that stores such files. */
export function secretAdvice(context: Context): Advice[] {
  const { stack } = context
  const byLayer = new Map<number, { sum: Sum; lost: Set<number> }>()
  for (const { node, ref, bytes, storedIn, lostIn, cause } of stack.waste) {
    if (!mayBeSecret.test(Buffer.from(stack.tree.name(node)).toString('latin1'))) continue
    if (!looksSecret(Buffer.from(stack.tree.path(node)).toString('latin1'))) continue
    // The same secret under the same name is not hidden from anyone; nobody believes that it is gone.
    if (cause === 'overwritten' && stillThere(context, node, ref)) continue
    if (!byLayer.has(storedIn)) byLayer.set(storedIn, { sum: new Sum(), lost: new Set() })
    const found = byLayer.get(storedIn)!
    found.sum.add(node, bytes, storedIn)
    found.lost.add(lostIn)
  }
  return [...byLayer]
    .sort(([a], [b]) => a - b)
    .map(([layer, { sum, lost }]) => {
      const layers = [...new Set([layer, ...lost])].sort((a, b) => a - b)
      return {
        rule: 'deleted-secret',
        title: titleOf(
          context,
          layer,
          sum,
          [...lost].sort((a, b) => a - b),
        ),
        bytes: sum.bytes,
        layers,
        fix: fixOf(context, layer, sum),
        steps: stepsOfLayers(context, layers),
        paths: sum.paths(context),
        files: sum.files,
      }
    })
}

/** Whether a path (without leading slash) is one where secrets are kept. */
export function looksSecret(path: string): boolean {
  if (elsewhere.test(path) && !/(?:^|\/)id_(?:rsa|dsa|ecdsa|ed25519)$/.test(path)) return false
  return secretPath.test(path)
}

/** The names that are worth a look at their whole path. */
const mayBeSecret =
  /key|\.(?:pem|p12|pfx|kdbx|env|tfstate)$|^id_|^\.env|rc$|cred|config|^\.dockercfg$|^\.vault-token$|^\.htpasswd$|secret/i

const secretPath = new RegExp(
  [
    'id_(?:rsa|dsa|ecdsa|ed25519)',
    '[^/]*\\.(?:pem|key|p12|pfx|kdbx|tfstate)',
    '(?:[\\w.-]*[_-])?(?:deploy|private|signing|server|client|ssh|api)[_-]?key(?:\\.\\w+)?',
    '\\.env(?:\\.(?!(?:example|sample|template|dist|defaults?)$)[\\w.-]+)?',
    '\\.(?:npmrc|pypirc|netrc|yarnrc|git-credentials|dockercfg|vault-token|htpasswd)',
    '\\.aws/credentials',
    '\\.docker/config\\.json',
    '\\.kube/config',
    'kubeconfig(?:\\.ya?ml)?',
    '(?:[\\w.-]*[_-])?credentials(?:\\.json)?',
    '(?:[\\w.-]*[_-])?secrets?(?:\\.(?:json|ya?ml|txt|env))?',
  ]
    .map(one => `(?:^|/)${one}$`)
    .join('|'),
  'i',
)

/** Where files of such names are public certificates, test data of packages, or documentation. */
const elsewhere =
  /(?:^|\/)(?:node_modules|site-packages|dist-packages|gems|pkg\/mod|testdata|tests?|fixtures|ca-certificates|certs|pki)\/|^usr\/(?:share|lib|include)\/|(?:^|\/)(?:ca-?cert|ca-?bundle|ca|cert|chain|fullchain)s?\.pem$/i

function stillThere({ stack, current }: Context, node: number, lost: number): boolean {
  const now = current[node]!
  const inode = now < 0 ? -1 : stack.inodeOf(now)
  return inode >= 0 && stack.sizeOf(inode) === stack.sizeOf(lost) && stack.sameContent(inode, lost) !== false
}

function titleOf(context: Context, layer: number, sum: Sum, lost: number[]): string {
  const names = sum.paths(context).slice(0, 2).map(pathText)
  const more = sum.files - names.length
  const what = more > 0 ? `${names.join(', ')} and ${formatCount(more)} more` : names.join(' and ')
  const [are, ship] = sum.files === 1 ? ['is', 'ships'] : ['are', 'ship']
  const by = lost.map(one => stepName(context, one)).join(' and ')
  return `${what} ${are} gone since ${by} but still ${ship} in the layer of ${stepName(context, layer)}: whoever has the image can read it.`
}

function fixOf(context: Context, layer: number, sum: Sum): string {
  const path = sum.paths(context)[0]
  const name = path ? pathText(path).split('/').at(-1)! : 'key'
  const { keyword } = instructionOf(context, layer)
  const mount = `RUN --mount=type=secret,id=${name.replace(/[^\w.-]/g, '_')} …`
  const instead = keyword === 'COPY' || keyword === 'ADD' ? `instead of ${keyword}, ${mount}` : mount
  return `Replace the secret, it is known. Then ${instead} gives it to one step and stores it nowhere.`
}
