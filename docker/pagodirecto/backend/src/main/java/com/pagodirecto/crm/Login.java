package com.pagodirecto.crm;

import com.pagodirecto.database.Pool;
import com.pagodirecto.database.SqlError;
import java.io.IOException;

/** Who somebody is. The database compares the password, in a function that alone may look across tenants. */
public final class Login {
    private final Pool pool;

    public Login(Pool pool) {
        this.pool = pool;
    }

    /** The tenant of this login, or null. */
    public String tenantOf(String email, String password) throws IOException, SqlError {
        return pool.borrow(connection -> connection.query("SELECT identity.login($1, $2)", email, password).get(0).get(0));
    }
}
