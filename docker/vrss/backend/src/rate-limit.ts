/**
 * A fixed window per client, in the memory of this instance. It stops a runaway client; the limits that hold for
 * all instances together are the reverse proxy's.
 */
export class RateLimiter {
  private readonly counts = new Map<string, number>();
  private windowEnds = 0;

  constructor(
    private readonly windowMs: number,
    private readonly max: number,
    private readonly now: () => number = Date.now,
  ) {}

  /** Null when the request may pass, else the seconds to wait. */
  take(client: string): number | null {
    const now = this.now();
    if (now >= this.windowEnds) {
      this.counts.clear();
      this.windowEnds = now + this.windowMs;
    }
    const count = (this.counts.get(client) ?? 0) + 1;
    this.counts.set(client, count);
    return count > this.max ? Math.ceil((this.windowEnds - now) / 1000) : null;
  }
}
