/** What the environment says, checked as a whole: the first start tells everything that is wrong with it. */

const LEVELS = ["error", "warn", "info", "http", "verbose", "debug", "silly"];

export class ConfigError extends Error {}

export function readConfig(env) {
  const problems = [];
  const text = (key, least = 1) => {
    const value = env[key] ?? "";
    if (value.length < least)
      problems.push(value ? `${key} is shorter than ${least} characters` : `${key} is not set`);
    return value;
  };
  const number = (key, fallback, min, max) => {
    const raw = env[key] || String(fallback);
    const value = Number(raw);
    if (!Number.isInteger(value) || value < min || value > max)
      problems.push(`${key} must be a whole number from ${min} to ${max}`);
    return value;
  };
  const duration = (key, fallback) => {
    const value = env[key] || fallback;
    if (!/^[1-9]\d*[smhd]$/.test(value)) problems.push(`${key} must be a number with s, m, h or d`);
    return value;
  };
  const oneOf = (key, fallback, allowed) => {
    const value = env[key] || fallback;
    if (!allowed.includes(value)) problems.push(`${key} must be one of ${allowed.join(", ")}`);
    return value;
  };

  const production = oneOf("NODE_ENV", "development", ["development", "test", "production"]) === "production";
  // Without the keys of others, development runs; only scanning does not.
  const foreign = (key, least) => (production ? text(key, least) : (env[key] ?? ""));
  const config = {
    production,
    port: number("PORT", 3000, 1, 65535),
    databaseUrl: text("DATABASE_URL"),
    redisUrl: text("REDIS_URL"),
    jwt: {
      accessSecret: text("JWT_ACCESS_SECRET", 32),
      refreshSecret: text("JWT_REFRESH_SECRET", 32),
      accessExpiresIn: duration("JWT_ACCESS_EXPIRES_IN", "15m"),
      refreshExpiresIn: duration("JWT_REFRESH_EXPIRES_IN", "7d"),
    },
    bcryptRounds: number("BCRYPT_ROUNDS", 12, 4, 15),
    openaiApiKey: foreign("OPENAI_API_KEY", 20),
    s3: {
      accessKeyId: foreign("AWS_ACCESS_KEY_ID", 16),
      secretAccessKey: foreign("AWS_SECRET_ACCESS_KEY", 32),
      bucket: foreign("S3_BUCKET_NAME", 3),
      region: env.AWS_REGION || "us-east-1",
    },
    allowedOrigins: (env.ALLOWED_ORIGINS ?? "").split(",").map((origin) => origin.trim()).filter(Boolean),
    rateLimit: {
      windowMs: number("RATE_LIMIT_WINDOW_MS", 900000, 1000, 86400000),
      max: number("RATE_LIMIT_MAX_REQUESTS", 100, 1, 1000000),
    },
    maxFileBytes: number("MAX_FILE_SIZE_MB", 10, 1, 50) * 1024 * 1024,
    log: { level: oneOf("LOG_LEVEL", "info", LEVELS), dir: env.LOG_DIR || null },
  };
  if (config.jwt.accessSecret && config.jwt.accessSecret === config.jwt.refreshSecret)
    problems.push("JWT_ACCESS_SECRET and JWT_REFRESH_SECRET must differ");
  if (problems.length > 0) throw new ConfigError(`the environment is not usable: ${problems.join("; ")}`);
  return config;
}
