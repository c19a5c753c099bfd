/** The settings of one process, read once from its environment and checked whole. */
export type Config = {
  production: boolean;
  port: number;
  db: {
    host: string;
    port: number;
    name: string;
    user: string;
    password: string;
    tls: boolean;
    poolMin: number;
    poolMax: number;
  };
  jwt: { secret: string; expiresInSeconds: number };
  storage: { type: "local"; path: string } | { type: "s3"; bucket: string };
  corsOrigins: string[];
  rateLimit: { windowMs: number; max: number };
  trustProxy: boolean;
  log: { level: LogLevel; format: "json" | "pretty"; file?: string };
};

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

type Env = Record<string, string | undefined>;

const UNITS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** Throws one error that names every setting which is missing or wrong; it never repeats a value. */
export function readConfig(env: Env): Config {
  const problems: string[] = [];
  const text = (key: string, fallback?: string): string => {
    const value = env[key] || fallback;
    if (value === undefined) problems.push(`${key} is not set`);
    return value ?? "";
  };
  const integer = (key: string, fallback: number, min: number, max: number): number => {
    const raw = env[key] || String(fallback);
    const value = /^\d+$/.test(raw) ? Number(raw) : Number.NaN;
    if (!(value >= min && value <= max)) problems.push(`${key} is not a whole number from ${min} to ${max}`);
    return value;
  };
  const oneOf = <T extends string>(key: string, allowed: readonly T[], fallback: T): T => {
    const value = (env[key] || fallback) as T;
    if (!allowed.includes(value)) problems.push(`${key} is not one of ${allowed.join(", ")}`);
    return value;
  };
  const flag = (key: string, fallback: boolean): boolean =>
    oneOf(key, ["true", "false"], fallback ? "true" : "false") === "true";
  const duration = (key: string, fallback: string): number => {
    const match = /^([1-9]\d*)([smhd])$/.exec(env[key] || fallback);
    if (!match) problems.push(`${key} is not a duration such as 15m, 12h or 7d`);
    return match ? Number(match[1]) * UNITS[match[2] as keyof typeof UNITS] : 0;
  };

  const secret = text("JWT_SECRET");
  if (secret && secret.length < 32) problems.push("JWT_SECRET is shorter than 32 characters");

  const poolMax = integer("DB_POOL_MAX", 10, 1, 1000);
  const poolMin = integer("DB_POOL_MIN", 2, 0, 1000);
  if (poolMin > poolMax) problems.push("DB_POOL_MIN is above DB_POOL_MAX");

  const storageType = oneOf("STORAGE_TYPE", ["local", "s3"], "local");
  let storage: Config["storage"];
  if (storageType === "s3") {
    storage = { type: "s3", bucket: text("S3_BUCKET") };
    text("S3_ACCESS_KEY");
    text("S3_SECRET_KEY");
  } else {
    storage = { type: "local", path: text("STORAGE_LOCAL_PATH", "/app/storage/media") };
  }

  const config: Config = {
    production: env.NODE_ENV === "production",
    port: integer("PORT", 3000, 1, 65_535),
    db: {
      host: text("DB_HOST"),
      port: integer("DB_PORT", 5432, 1, 65_535),
      name: text("DB_NAME"),
      user: text("DB_USER"),
      password: text("DB_PASSWORD"),
      tls: flag("DB_TLS", false),
      poolMin,
      poolMax,
    },
    jwt: { secret, expiresInSeconds: duration("JWT_EXPIRES_IN", "7d") },
    storage,
    corsOrigins: (env.CORS_ORIGINS ?? "")
      .split(",")
      .map((origin) => origin.trim())
      .filter(Boolean),
    rateLimit: {
      windowMs: integer("RATE_LIMIT_WINDOW_MS", 900_000, 1000, 86_400_000),
      max: integer("RATE_LIMIT_MAX_REQUESTS", 100, 1, 1_000_000),
    },
    trustProxy: flag("TRUST_PROXY", false),
    log: {
      level: oneOf("LOG_LEVEL", LOG_LEVELS, "info"),
      format: oneOf("LOG_FORMAT", ["json", "pretty"], "json"),
      ...(env.LOG_FILE ? { file: env.LOG_FILE } : {}),
    },
  };
  if (problems.length > 0) throw new Error(`the environment is not usable: ${problems.join("; ")}`);
  return config;
}
