/** Runs the rest of a test as an ordinary user, without another process. */

const nobody = 65534

/** From now on this process may do what `nobody` may; the function that comes back ends it. */
export function asNobody(): () => void {
  const groups = process.getgroups!()
  process.setgroups!([nobody])
  process.setegid!(nobody)
  process.seteuid!(nobody)
  return () => {
    process.seteuid!(0)
    process.setegid!(0)
    process.setgroups!(groups)
  }
}
