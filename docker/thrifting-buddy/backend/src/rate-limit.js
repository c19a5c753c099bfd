/** So many requests of one client in one window, counted in Redis: the instances share the count. */
export function rateLimit(cache, { windowMs, max }, log) {
  return async (request, response, next) => {
    const window = Math.floor(Date.now() / windowMs);
    const key = `rate:${request.ip}:${window}`;
    let count;
    try {
      [count] = await cache.multi().incr(key).pExpire(key, windowMs).exec();
    } catch (error) {
      // Better without limits for a while than without an API.
      log.warn("requests are not counted", { error: error.message });
      return next();
    }
    response.set("RateLimit-Limit", String(max));
    response.set("RateLimit-Remaining", String(Math.max(0, max - count)));
    if (count <= max) return next();
    response.set("Retry-After", String(Math.ceil(((window + 1) * windowMs - Date.now()) / 1000)));
    response.status(429).json({ error: "too many requests" });
  };
}
