-- Nobody but a superuser sees another tenant's rows, and roles may do what they need and no more. The roles are the
-- cluster's; init-db.sh makes them.

DO $$
DECLARE
    it record;
BEGIN
    FOR it IN
        SELECT n.nspname AS schema, c.oid::regclass AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND n.nspname IN
            ('identity', 'customers', 'opportunities', 'tasks', 'products', 'sales', 'payments', 'reports')
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', it.name);
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', it.name);
        EXECUTE format('CREATE POLICY tenant_isolation ON %s USING (tenant_id = identity.tenant()) WITH CHECK (tenant_id = identity.tenant())', it.name);
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO pagodirecto_readonly, pagodirecto_readwrite', it.schema);
    END LOOP;
END $$;

GRANT SELECT ON ALL TABLES IN SCHEMA customers, opportunities, tasks, products, sales, payments, reports
    TO pagodirecto_readonly;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA customers, opportunities, tasks, products, sales, payments,
    reports TO pagodirecto_readwrite;
GRANT SELECT (tenant_id, name) ON identity.tenants TO pagodirecto_readonly, pagodirecto_readwrite;
-- A payment is never changed.
REVOKE UPDATE, DELETE ON payments.payments FROM pagodirecto_readwrite;

-- Logging in is the one thing that looks across tenants.
CREATE FUNCTION identity.login(email text, password text) RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public
    AS $$ SELECT u.tenant_id FROM identity.users u
          WHERE u.email = login.email AND u.password_hash = public.crypt(login.password, u.password_hash) $$;
REVOKE ALL ON FUNCTION identity.login(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION identity.login(text, text) TO pagodirecto_readwrite;
