import { readFileSync } from 'node:fs';

/** Of Linux on every architecture that Node runs on: `getconf CLK_TCK`. */
const ticksPerSecond = 100;

/** CPU time of a process so far, all threads, user and system; NaN where there is no `/proc`. */
export function cpuSeconds(pid: number): number {
  try {
    // The name, second of the fields, may hold spaces: proc_pid_stat(5).
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  } catch {
    return Number.NaN;
  }
}
