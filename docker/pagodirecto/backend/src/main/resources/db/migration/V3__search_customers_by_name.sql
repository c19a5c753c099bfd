CREATE INDEX customers_name_trgm ON customers.customers USING gin (name gin_trgm_ops);
