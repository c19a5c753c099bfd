DROP SCHEMA reports, payments, sales, products, tasks, opportunities, customers, identity CASCADE;
DROP EXTENSION pg_trgm, pg_stat_statements, pgcrypto, "uuid-ossp";
