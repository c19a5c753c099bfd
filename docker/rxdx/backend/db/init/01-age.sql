-- Runs once, on an empty volume; `cargo xtask db-reset` runs it too. The schema itself is the migrations'.

CREATE EXTENSION IF NOT EXISTS age;

-- So that cypher() and agtype are found, whoever asks; public comes first, since that is where tables belong.
DO $$
BEGIN
    EXECUTE format('ALTER DATABASE %I SET search_path = public, ag_catalog', current_database());
END
$$;
