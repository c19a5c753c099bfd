/** Winston, to stdout and to a file: one for each instance, since no two processes can rotate the same one. */
import { readdirSync, rmSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import winston from "winston";

const MAX_BYTES = 10 * 1024 * 1024;
const KEEP = 3;
const KEEP_DAYS = 30;

export function createLog({ level, dir }) {
  const { combine, timestamp, json } = winston.format;
  const transports = [new winston.transports.Console()];
  if (dir) {
    forgetOld(dir, Date.now() - KEEP_DAYS * 86_400_000);
    const file = new winston.transports.File({
      dirname: dir,
      filename: `backend-${hostname()}.log`,
      maxsize: MAX_BYTES,
      maxFiles: KEEP,
      tailable: true,
    });
    transports.push(file);
  }
  const log = winston.createLogger({
    level,
    format: combine(timestamp(), json()),
    defaultMeta: { service: "backend", instance: hostname() },
    transports,
  });
  // A full or unwritable log disk must not take the API down; stdout has the entry.
  log.on("error", () => {});
  return log;
}

/** Instances come and go; what they left is kept for a month. */
export function forgetOld(dir, before) {
  try {
    for (const name of readdirSync(dir).filter((name) => /^backend-.*\.log$/.test(name)))
      if (statSync(join(dir, name)).mtimeMs < before) rmSync(join(dir, name), { force: true });
  } catch {
    // Somebody else was faster, or the folder is not ours to tidy.
  }
}
