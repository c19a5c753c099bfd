-- The eight bounded contexts, a schema each. Every row belongs to a tenant.

CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE EXTENSION IF NOT EXISTS pgcrypto;
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE SCHEMA identity;
CREATE SCHEMA customers;
CREATE SCHEMA opportunities;
CREATE SCHEMA tasks;
CREATE SCHEMA products;
CREATE SCHEMA sales;
CREATE SCHEMA payments;
CREATE SCHEMA reports;

-- The tenant of this transaction; without one no row is anybody's.
CREATE FUNCTION identity.tenant() RETURNS uuid LANGUAGE sql STABLE
    AS $$ SELECT nullif(current_setting('app.tenant_id', true), '')::uuid $$;

CREATE TABLE identity.tenants (
    tenant_id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    name text NOT NULL UNIQUE
);

CREATE TABLE identity.users (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL DEFAULT identity.tenant() REFERENCES identity.tenants,
    email text NOT NULL UNIQUE,
    password_hash text NOT NULL
);

CREATE TABLE customers.customers (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL DEFAULT identity.tenant() REFERENCES identity.tenants,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE opportunities.opportunities (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL DEFAULT identity.tenant() REFERENCES identity.tenants,
    customer_id uuid NOT NULL REFERENCES customers.customers,
    stage text NOT NULL DEFAULT 'new'
);

CREATE TABLE tasks.tasks (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL DEFAULT identity.tenant() REFERENCES identity.tenants,
    title text NOT NULL,
    due_on date
);

CREATE TABLE products.products (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL DEFAULT identity.tenant() REFERENCES identity.tenants,
    name text NOT NULL,
    price numeric(12, 2) NOT NULL CHECK (price >= 0)
);

CREATE TABLE sales.orders (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL DEFAULT identity.tenant() REFERENCES identity.tenants,
    customer_id uuid NOT NULL REFERENCES customers.customers,
    total numeric(12, 2) NOT NULL CHECK (total >= 0)
);

CREATE TABLE payments.payments (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL DEFAULT identity.tenant() REFERENCES identity.tenants,
    order_id uuid NOT NULL REFERENCES sales.orders,
    amount numeric(12, 2) NOT NULL CHECK (amount > 0)
);

CREATE TABLE reports.reports (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL DEFAULT identity.tenant() REFERENCES identity.tenants,
    name text NOT NULL
);

-- Each tenant's rows lie together.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['identity.users', 'customers.customers', 'opportunities.opportunities', 'tasks.tasks',
        'products.products', 'sales.orders', 'payments.payments', 'reports.reports'] LOOP
        EXECUTE format('CREATE INDEX ON %s (tenant_id)', name);
    END LOOP;
END $$;
