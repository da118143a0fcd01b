/** Runs the rest of a test as an ordinary user, without another process. */

const nobody = 65534

/** From now on this process may do what the user may; the function that comes back ends it. */
export function asUser(uid = nobody, gid = uid): () => void {
  const groups = process.getgroups!()
  process.setgroups!([gid])
  process.setegid!(gid)
  process.seteuid!(uid)
  return () => {
    process.seteuid!(0)
    process.setegid!(0)
    process.setgroups!(groups)
  }
}
