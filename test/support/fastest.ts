/**
 * The least time in milliseconds that a piece of work took in some attempts, ending early once it is within a bound: what
 * else a busy machine does can only make it longer.
 */
export function fastestMs(work: () => void, withinMs: number, attempts = 8): number {
  let least = Infinity;
  for (let i = 0; i < attempts && least > withinMs; i++) {
    const start = performance.now();
    work();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}
