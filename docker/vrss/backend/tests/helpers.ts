import type { Config } from "../src/config.ts";
import { readConfig } from "../src/config.ts";
import type { Queryable } from "../src/db.ts";
import type { Log } from "../src/log.ts";

export const ENV = {
  DB_HOST: "db",
  DB_NAME: "vrss",
  DB_USER: "vrss_user",
  DB_PASSWORD: "x",
  JWT_SECRET: "0123456789abcdef0123456789abcdef",
  STORAGE_LOCAL_PATH: "/tmp",
  CORS_ORIGINS: "http://localhost:5173",
};

export const config = (extra: Record<string, string> = {}): Config => readConfig({ ...ENV, ...extra });

export const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

export type Query = { sql: string; values: unknown[] };

/** Answers each query by the first pattern that its text matches, and remembers what was asked. */
export function fakeDb(answers: [RegExp, unknown[] | Error][] = []): Queryable & { asked: Query[] } {
  const asked: Query[] = [];
  const query = async (sql: string, values: unknown[] = []) => {
    asked.push({ sql, values });
    const rows = answers.find(([pattern]) => pattern.test(sql))?.[1] ?? [];
    if (rows instanceof Error) throw rows;
    return { rows };
  };
  return { query, asked } as unknown as Queryable & { asked: Query[] };
}
