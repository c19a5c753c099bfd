package com.pagodirecto.crm;

import com.pagodirecto.database.Pool;
import com.pagodirecto.database.SqlError;
import com.pagodirecto.web.Json;
import java.io.IOException;
import java.util.List;
import java.util.stream.Collectors;

/** A tenant's customers. No statement here names the tenant: the database shows each only its own rows. */
public final class Customers {
    private final Pool pool;

    public Customers(Pool pool) {
        this.pool = pool;
    }

    public String list(String tenant) throws IOException, SqlError {
        List<List<String>> rows = as(tenant, "SELECT id, name FROM customers.customers ORDER BY name LIMIT 100");
        return rows.stream().map(Customers::json).collect(Collectors.joining(",", "{\"customers\":[", "]}"));
    }

    public String add(String tenant, String name) throws IOException, SqlError {
        return json(as(tenant, "INSERT INTO customers.customers (name) VALUES ($1) RETURNING id, name", name).get(0));
    }

    private List<List<String>> as(String tenant, String sql, String... parameters) throws IOException, SqlError {
        return pool.transaction(connection -> {
            // Local to the transaction: the connection's next user starts without a tenant.
            connection.query("SELECT set_config('app.tenant_id', $1, true)", tenant);
            return connection.query(sql, parameters);
        });
    }

    private static String json(List<String> row) {
        return Json.object("id", row.get(0), "name", row.get(1));
    }
}
