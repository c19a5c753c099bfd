package com.pagodirecto;

import com.pagodirecto.crm.Customers;
import com.pagodirecto.crm.Login;
import com.pagodirecto.database.Connection;
import com.pagodirecto.database.Migrations;
import com.pagodirecto.database.Pool;
import com.pagodirecto.database.SqlError;
import com.pagodirecto.web.Json;
import com.pagodirecto.web.Log;
import com.pagodirecto.web.Tokens;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;

/** The backend's tests, against the database of the environment testing. Maven would run them with JUnit. */
public final class Tests {
    private interface Test {
        void run() throws Exception;
    }

    private static int count;

    private Tests() {}

    public static void main(String[] args) throws Exception {
        Settings settings = Settings.fromEnvironment();
        if (!settings.owner().database().endsWith("_test")) {
            throw new IllegalStateException("these tests write; they do so in a database whose name ends with _test only");
        }
        new Migrations(settings.migrations(), new Log(null)).run(settings.owner());
        test("texts are written and read", Tests::json);
        test("a token says the tenant, and only an unchanged one", Tests::tokens);
        try (Pool pool = new Pool(settings.application(), 2); Connection owner = new Connection(settings.owner())) {
            test("a tenant sees its own customers only", () -> tenants(pool, owner));
            test("a login needs its password", () -> login(pool, owner));
            test("an error leaves the connection usable", () -> errors(pool));
        }
        System.out.println(count + " tests passed");
    }

    private static void test(String name, Test test) throws Exception {
        test.run();
        count++;
        System.out.println("ok: " + name);
    }

    private static void json() {
        assert Json.object("a", "x\"\\\n\u0001").equals("{\"a\":\"x\\\"\\\\\\n\\u0001\"}");
        assert Json.read("{\"a\":\"x\\\"\\u00e9\\n\",\"n\":12}").equals(Map.of("a", "x\"é\n", "n", "12"));
        assert Json.read("[1]") == null && Json.read("{\"a\":{}}") == null && Json.read("") == null;
    }

    private static void tokens() {
        Tokens tokens = new Tokens("0123456789abcdef0123456789abcdef", Duration.ofMinutes(1));
        String token = tokens.issue("somebody");
        assert tokens.tenant(token).equals("somebody");
        assert tokens.tenant(token + "x") == null && tokens.tenant("a.b.c") == null;
        assert new Tokens("another-secret-of-thirty-two-chars", Duration.ofMinutes(1)).tenant(token) == null;
        assert new Tokens("0123456789abcdef0123456789abcdef", Duration.ZERO).tenant(tokens.issue("x")) != null;
        String ended = new Tokens("0123456789abcdef0123456789abcdef", Duration.ofSeconds(-1)).issue("x");
        assert tokens.tenant(ended) == null;
    }

    private static String tenant(Connection owner) throws Exception {
        return owner.query("INSERT INTO identity.tenants (name) VALUES ($1) RETURNING tenant_id", UUID.randomUUID().toString()).get(0).get(0);
    }

    private static void tenants(Pool pool, Connection owner) throws Exception {
        Customers customers = new Customers(pool);
        String one = tenant(owner), other = tenant(owner);
        customers.add(one, "one's");
        assert customers.list(one).contains("one's");
        assert customers.list(other).equals("{\"customers\":[]}");
        String unnamed = pool.borrow(it -> it.query("SELECT count(*) FROM customers.customers").get(0).get(0));
        assert unnamed.equals("0") : unnamed;
    }

    private static void login(Pool pool, Connection owner) throws Exception {
        String tenant = tenant(owner), email = UUID.randomUUID() + "@example.org";
        owner.query("INSERT INTO identity.users (tenant_id, email, password_hash) VALUES ($1::uuid, $2, crypt($3, gen_salt('bf', 4)))", tenant, email, "right");
        Login login = new Login(pool);
        assert tenant.equals(login.tenantOf(email, "right"));
        assert login.tenantOf(email, "wrong") == null;
    }

    private static void errors(Pool pool) throws Exception {
        try {
            pool.borrow(it -> it.query("SELECT * FROM identity.users"));
            assert false : "the application may not read users";
        } catch (SqlError error) {
            assert error.state().equals("42501") : error.state();
        }
        assert pool.borrow(it -> it.query("SELECT 1")).get(0).get(0).equals("1");
    }
}
