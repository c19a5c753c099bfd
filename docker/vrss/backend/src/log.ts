import { appendFileSync, renameSync, statSync } from "node:fs";
import { type Config, LOG_LEVELS, type LogLevel } from "./config.ts";

type Fields = Record<string, unknown>;
export type Log = Record<LogLevel, (message: string, fields?: Fields) => void>;

const MAX_BYTES = 10 * 1024 * 1024;
const KEEP = 3;

/** Writes each entry to stdout and, where a file is named, to that too; 10 MB × 3, as for the container's own log. */
export function createLog(config: Config["log"], now: () => Date = () => new Date()): Log {
  const threshold = LOG_LEVELS.indexOf(config.level);
  const write = (level: LogLevel, message: string, fields: Fields = {}) => {
    if (LOG_LEVELS.indexOf(level) < threshold) return;
    const time = now().toISOString();
    const json = JSON.stringify({ time, level, message, ...fields });
    const pretty = `${time} ${level.padEnd(5)} ${message} ${JSON.stringify(fields)}`;
    process.stdout.write(`${config.format === "json" ? json : pretty}\n`);
    if (config.file) appendRotating(config.file, `${json}\n`);
  };
  return {
    debug: (message, fields) => write("debug", message, fields),
    info: (message, fields) => write("info", message, fields),
    warn: (message, fields) => write("warn", message, fields),
    error: (message, fields) => write("error", message, fields),
  };
}

export function appendRotating(file: string, line: string, maxBytes = MAX_BYTES): void {
  try {
    const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    if (size > 0 && size + line.length > maxBytes) {
      for (let n = KEEP - 1; n > 0; n--) {
        const from = n === 1 ? file : `${file}.${n - 1}`;
        if (statSync(from, { throwIfNoEntry: false })) renameSync(from, `${file}.${n}`);
      }
    }
    appendFileSync(file, line);
  } catch {
    // A full or unwritable log disk must not take the API down; stdout has the entry.
  }
}

/** What is worth knowing of an error, without its stack and without the query's values. */
export function describeError(error: unknown): Fields {
  if (!(error instanceof Error)) return { error: String(error) };
  const code = (error as { code?: unknown }).code;
  return { error: error.message || error.name, ...(code === undefined ? {} : { code }) };
}
