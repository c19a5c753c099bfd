/** Structured logs: one JSON object on each line of stdout. */
const LEVELS = ["debug", "info", "warn", "error"];

export function logger(service, level = process.env.LOG_LEVEL ?? "info", write = (line) => process.stdout.write(line)) {
  const least = Math.max(LEVELS.indexOf(level), 0);
  const at = (name) => (message, fields = {}) => {
    if (LEVELS.indexOf(name) < least) return;
    write(`${JSON.stringify({ time: new Date().toISOString(), level: name, service, message, ...fields })}\n`);
  };
  return Object.fromEntries(LEVELS.map((name) => [name, at(name)]));
}
