import { test } from 'bun:test'
import { scratch } from '/work/main/test/harness/sandbox.ts'
import { invokers, solo } from '/work/main/test/harness/users.ts'
for (const inv of [...invokers, ...(solo?[solo]:[])]) test(inv.name, async () => {
  await using t = await scratch(inv)
  const t0 = performance.now()
  const r = await t.coop(['run','--','sh','-c','id; ls -la /proc/self/fd /proc/1 2>&1| head -40; cat /proc/self/mountinfo; grep -i -e cap -e nonew -e seccomp /proc/self/status; ls -la / /dev; ls -la /proc/1/fd; cat /proc/1/environ; readlink /proc/1/exe; ls /sys /sys/*'])
  console.log(inv.name, performance.now()-t0, r.code, r.stdout, r.stderr)
  const t1 = performance.now()
  await t.coop(['run','--','true'])
  console.log('second', performance.now()-t1)
})
