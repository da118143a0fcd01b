/** What a digest looks like. Apart from what makes digests, for that loads Node's crypto. */

/** Whether a text is a well-formed digest of an algorithm that the OCI image-spec registers. */
export function isDigest(text: string): boolean {
  return /^(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$/.test(text)
}
