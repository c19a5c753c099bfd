package com.pagodirecto.web;

import com.pagodirecto.database.Pool;
import com.pagodirecto.database.SqlError;
import java.io.IOException;

/** What Spring's actuator says under /actuator/health, with its groups. */
public final class Health {
    /** An answer: status and body. */
    public record Report(boolean up, String body) {}

    private final Pool pool;

    public Health(Pool pool) {
        this.pool = pool;
    }

    /** Whether this process works; a database that is away is no reason to restart it. */
    public Report liveness() {
        return new Report(true, "{\"status\":\"UP\",\"components\":{\"livenessState\":{\"status\":\"UP\"}}}");
    }

    /** Whether requests can be answered. */
    public Report readiness() {
        String database = database();
        boolean up = database.contains("\"UP\"");
        return report(up, "\"db\":" + database + ",\"readinessState\":" + state(up));
    }

    public Report whole() {
        String database = database();
        boolean up = database.contains("\"UP\"");
        String components = "\"db\":" + database + ",\"livenessState\":" + state(true) + ",\"readinessState\":" + state(up);
        Report report = report(up, components);
        return new Report(up, report.body.substring(0, report.body.length() - 1) + ",\"groups\":[\"liveness\",\"readiness\"]}");
    }

    /** The short form for everybody. */
    public Report brief() {
        boolean up = database().contains("\"UP\"");
        return new Report(up, Json.object("status", up ? "UP" : "DOWN"));
    }

    private static Report report(boolean up, String components) {
        return new Report(up, "{\"status\":" + (up ? "\"UP\"" : "\"DOWN\"") + ",\"components\":{" + components + "}}");
    }

    private static String state(boolean up) {
        return Json.object("status", up ? "UP" : "OUT_OF_SERVICE");
    }

    /** Asked each time, over a connection of the pool, as the application's own user. */
    private String database() {
        try {
            String version = pool.borrow(connection -> connection.query("SHOW server_version").get(0).get(0));
            return "{\"status\":\"UP\",\"details\":" + Json.object("database", "PostgreSQL", "version", version) + "}";
        } catch (IOException | SqlError error) {
            return Json.object("status", "DOWN");
        }
    }
}
