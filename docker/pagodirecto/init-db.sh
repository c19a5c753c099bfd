#!/bin/sh
# Runs once, on an empty volume: the cluster's roles. What is the database's own is in the migrations.
set -eu
export APP_USER="${DB_APP_USER:?}" APP_PASSWORD="${DB_APP_PASSWORD:?}"
psql -v ON_ERROR_STOP=1 --no-psqlrc --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\getenv user APP_USER
\getenv password APP_PASSWORD
CREATE ROLE pagodirecto_readonly NOLOGIN;
CREATE ROLE pagodirecto_readwrite NOLOGIN;
-- Whom the backend logs in as. Row-level security holds for it, as it is neither a superuser nor an owner.
CREATE ROLE :"user" LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE CONNECTION LIMIT 60 PASSWORD :'password';
GRANT pagodirecto_readwrite TO :"user";
REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"DBNAME" TO pagodirecto_readonly, pagodirecto_readwrite;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
SQL
