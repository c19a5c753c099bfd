package com.pagodirecto;

import com.pagodirecto.database.Address;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** What the environment says. Spring would read the same from application.yml. */
public record Settings(
        int port,
        Address owner,
        Address application,
        int poolSize,
        Path migrations,
        String jwtSecret,
        Duration jwtLifetime,
        List<String> corsOrigins,
        Path logFile) {

    public static Settings fromEnvironment() {
        return of(System.getenv());
    }

    public static Settings of(Map<String, String> env) {
        String host = env.getOrDefault("DB_HOST", "postgres");
        int port = Integer.parseInt(env.getOrDefault("DB_PORT", "5432"));
        String database = env.getOrDefault("DB_NAME", "pagodirecto_crm");
        String secret = required(env, "JWT_SECRET");
        if (secret.length() < 32) {
            throw new IllegalArgumentException("JWT_SECRET must have 32 characters or more");
        }
        String origins = env.getOrDefault("CORS_ORIGINS", "");
        String logFile = env.getOrDefault("LOG_FILE", "");
        return new Settings(
                Integer.parseInt(env.getOrDefault("SERVER_PORT", "8080")),
                new Address(host, port, database, required(env, "DB_OWNER"), required(env, "DB_OWNER_PASSWORD")),
                new Address(host, port, database, required(env, "DB_USER"), required(env, "DB_PASSWORD")),
                Integer.parseInt(env.getOrDefault("DB_POOL_SIZE", "20")),
                Path.of(env.getOrDefault("MIGRATIONS", "/app/migration")),
                secret,
                Duration.ofSeconds(Long.parseLong(env.getOrDefault("JWT_LIFETIME_SECONDS", "3600"))),
                origins.isBlank() ? List.of() : List.of(origins.trim().split("\\s*,\\s*")),
                logFile.isEmpty() ? null : Path.of(logFile));
    }

    private static String required(Map<String, String> env, String name) {
        String value = env.get(name);
        if (value == null || value.isEmpty()) {
            throw new IllegalArgumentException(name + " is not set");
        }
        return value;
    }
}
