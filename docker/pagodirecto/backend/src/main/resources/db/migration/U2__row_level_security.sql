DROP FUNCTION identity.login(text, text);

DO $$
DECLARE
    it record;
BEGIN
    FOR it IN
        SELECT n.nspname AS schema, c.oid::regclass AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND n.nspname IN
            ('identity', 'customers', 'opportunities', 'tasks', 'products', 'sales', 'payments', 'reports')
    LOOP
        EXECUTE format('REVOKE ALL ON %s FROM pagodirecto_readonly, pagodirecto_readwrite', it.name);
        EXECUTE format('REVOKE ALL ON SCHEMA %I FROM pagodirecto_readonly, pagodirecto_readwrite', it.schema);
        EXECUTE format('DROP POLICY tenant_isolation ON %s', it.name);
        EXECUTE format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', it.name);
        EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', it.name);
    END LOOP;
END $$;
REVOKE ALL (tenant_id, name) ON identity.tenants FROM pagodirecto_readonly, pagodirecto_readwrite;
