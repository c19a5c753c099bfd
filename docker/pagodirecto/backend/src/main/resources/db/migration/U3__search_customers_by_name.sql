DROP INDEX customers.customers_name_trgm;
