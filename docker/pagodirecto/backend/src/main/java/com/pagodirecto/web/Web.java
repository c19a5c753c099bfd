package com.pagodirecto.web;

import com.pagodirecto.Settings;
import com.pagodirecto.crm.Customers;
import com.pagodirecto.crm.Login;
import com.pagodirecto.database.SqlError;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** The endpoints. */
public final class Web implements AutoCloseable {
    private static final int MOST_BYTES = 64 * 1024;

    private record Answer(int status, String type, String body) {
        static Answer json(int status, String body) {
            return new Answer(status, "application/json", body);
        }

        static Answer problem(int status, String what) {
            return json(status, Json.object("error", what));
        }

        static Answer of(Health.Report report) {
            return json(report.up() ? 200 : 503, report.body());
        }
    }

    private final Settings settings;
    private final Log log;
    private final Metrics metrics;
    private final Tokens tokens;
    private final Health health;
    private final Login login;
    private final Customers customers;
    private final HttpServer server;
    private final ExecutorService workers;
    private final AtomicInteger open = new AtomicInteger();

    public Web(Settings settings, Log log, Metrics metrics, Tokens tokens, Health health, Login login, Customers customers) throws IOException {
        this.settings = settings;
        this.log = log;
        this.metrics = metrics;
        this.tokens = tokens;
        this.health = health;
        this.login = login;
        this.customers = customers;
        workers = Executors.newFixedThreadPool(32);
        server = HttpServer.create(new InetSocketAddress(settings.port()), 128);
        server.setExecutor(workers);
        server.createContext("/", this::handle);
        server.start();
    }

    @Override
    public void close() {
        // What is being answered is answered; the server itself would wait for the whole second.
        long until = System.nanoTime() + 1_000_000_000L;
        while (open.get() > 0 && System.nanoTime() < until) {
            Thread.onSpinWait();
        }
        server.stop(0);
        workers.shutdown();
    }

    private void handle(HttpExchange exchange) throws IOException {
        long began = System.nanoTime();
        String given = exchange.getRequestHeaders().getFirst("X-Correlation-Id");
        String correlation = given != null && given.matches("[A-Za-z0-9-]{1,64}") ? given : UUID.randomUUID().toString();
        Answer answer;
        open.incrementAndGet();
        try (exchange) {
            try {
                answer = answer(exchange);
            } catch (SqlError | IOException | RuntimeException error) {
                log.error(error.toString(), correlation);
                answer = Answer.problem(error instanceof IOException ? 503 : 500, "the request could not be answered");
            }
            var headers = exchange.getResponseHeaders();
            headers.set("Content-Type", answer.type);
            headers.set("Cache-Control", "no-store");
            headers.set("X-Correlation-Id", correlation);
            allowOrigin(exchange);
            byte[] body = answer.body.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(answer.status, body.length == 0 ? -1 : body.length);
            exchange.getResponseBody().write(body);
        } finally {
            open.decrementAndGet();
        }
        double seconds = (System.nanoTime() - began) / 1e9;
        String path = exchange.getRequestURI().getPath();
        metrics.request(exchange.getRequestMethod(), answer.status, seconds);
        if (!path.startsWith("/actuator/")) {
            log.request(correlation, exchange.getRequestMethod(), path, answer.status, Math.round(seconds * 1000));
        }
    }

    private void allowOrigin(HttpExchange exchange) {
        String origin = exchange.getRequestHeaders().getFirst("Origin");
        if (origin != null && settings.corsOrigins().contains(origin)) {
            var headers = exchange.getResponseHeaders();
            headers.set("Access-Control-Allow-Origin", origin);
            headers.set("Access-Control-Allow-Methods", "GET, POST, OPTIONS");
            headers.set("Access-Control-Allow-Headers", "Authorization, Content-Type");
            headers.set("Vary", "Origin");
        }
    }

    private Answer answer(HttpExchange exchange) throws IOException, SqlError {
        String request = exchange.getRequestMethod() + " " + exchange.getRequestURI().getPath();
        return switch (request) {
            case "GET /actuator/health" -> Answer.of(health.whole());
            case "GET /actuator/health/liveness" -> Answer.of(health.liveness());
            case "GET /actuator/health/readiness" -> Answer.of(health.readiness());
            case "GET /api/health", "GET /api/v1/auth/health" -> Answer.of(health.brief());
            case "GET /actuator/prometheus" -> new Answer(200, "text/plain; version=0.0.4", metrics.text());
            case "POST /api/v1/auth/login" -> logIn(exchange);
            case "GET /api/v1/customers" -> {
                String tenant = tenant(exchange);
                yield tenant == null ? Answer.problem(401, "log in first") : Answer.json(200, customers.list(tenant));
            }
            case "POST /api/v1/customers" -> create(exchange);
            default -> exchange.getRequestMethod().equals("OPTIONS")
                    ? new Answer(204, "text/plain", "")
                    : Answer.problem(404, "there is no such thing");
        };
    }

    private Answer logIn(HttpExchange exchange) throws IOException, SqlError {
        Map<String, String> body = body(exchange);
        if (body == null || body.get("email") == null || body.get("password") == null) {
            return Answer.problem(400, "email and password are needed");
        }
        String tenant = login.tenantOf(body.get("email"), body.get("password"));
        return tenant == null
                ? Answer.problem(401, "there is no such login")
                : Answer.json(200, Json.object("token", tokens.issue(tenant)));
    }

    private Answer create(HttpExchange exchange) throws IOException, SqlError {
        String tenant = tenant(exchange);
        if (tenant == null) {
            return Answer.problem(401, "log in first");
        }
        Map<String, String> body = body(exchange);
        String name = body == null ? null : body.get("name");
        if (name == null || name.isBlank() || name.length() > 200) {
            return Answer.problem(400, "a name of 1 to 200 characters is needed");
        }
        return Answer.json(201, customers.add(tenant, name));
    }

    private String tenant(HttpExchange exchange) {
        String header = exchange.getRequestHeaders().getFirst("Authorization");
        return header == null || !header.startsWith("Bearer ") ? null : tokens.tenant(header.substring(7));
    }

    private static Map<String, String> body(HttpExchange exchange) throws IOException {
        byte[] bytes = exchange.getRequestBody().readNBytes(MOST_BYTES);
        return Json.read(new String(bytes, StandardCharsets.UTF_8));
    }
}
