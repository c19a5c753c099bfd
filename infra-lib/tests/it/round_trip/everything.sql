-- A database with everything in it.
SET client_min_messages = error;
CREATE ROLE owner_role; CREATE ROLE reader LOGIN; CREATE ROLE "odd "" role, with: signs" ROLE reader;
ALTER DATABASE shop OWNER TO owner_role;
GRANT CONNECT, TEMP ON DATABASE shop TO reader WITH GRANT OPTION;
REVOKE ALL ON DATABASE shop FROM PUBLIC;
ALTER DATABASE shop SET work_mem TO '9MB';
ALTER DATABASE shop SET search_path TO public, app, "odd "" schema";
ALTER ROLE reader IN DATABASE shop SET statement_timeout TO '5s';
COMMENT ON DATABASE shop IS 'it''s all here
[in two lines]';

CREATE EXTENSION hstore; CREATE EXTENSION pgcrypto; CREATE EXTENSION btree_gist; CREATE EXTENSION citext;
CREATE EXTENSION postgres_fdw; CREATE EXTENSION file_fdw; CREATE EXTENSION "uuid-ossp";
CREATE SCHEMA app AUTHORIZATION owner_role; CREATE SCHEMA "odd "" schema";
COMMENT ON SCHEMA app IS 'the application''s';
ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO reader;
ALTER DEFAULT PRIVILEGES FOR ROLE owner_role GRANT EXECUTE ON FUNCTIONS TO reader;

CREATE COLLATION app.plain (provider = libc, locale = 'C');
CREATE COLLATION app.nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TYPE app.mood AS ENUM ('sad', 'ok', 'it''s; \ "great"');
ALTER TYPE app.mood ADD VALUE 'between' AFTER 'sad';
CREATE TYPE app.address AS (street text, number int);
CREATE TYPE app.span AS RANGE (subtype = float8, subtype_diff = float8mi, multirange_type_name = app.spans);
CREATE DOMAIN app.email AS citext NOT NULL DEFAULT 'a@b' CONSTRAINT has_at CHECK (VALUE ~ '@');
COMMENT ON DOMAIN app.email IS 'with an @';

CREATE SEQUENCE app.numbers AS bigint INCREMENT 7 MINVALUE -100 START -50 CACHE 3 CYCLE;
SELECT nextval('app.numbers'), nextval('app.numbers');
CREATE SEQUENCE app.untouched;

CREATE TABLE app.people (
    id bigint GENERATED ALWAYS AS IDENTITY (START 1000 INCREMENT 5) PRIMARY KEY,
    email app.email UNIQUE,
    name text COLLATE app.nocase,
    sorted text COLLATE "C" DEFAULT E'a\tb\\c''d\ne',
    mood app.mood DEFAULT 'ok',
    home app.address,
    spans app.spans,
    twice int GENERATED ALWAYS AS (length(sorted) * 2) STORED,
    tags hstore,
    data jsonb CHECK (data IS NULL OR jsonb_typeof(data) = 'object'),
    secret bytea,
    boss bigint REFERENCES app.people DEFERRABLE INITIALLY DEFERRED,
    born date, seen timestamptz, wait interval, place point, net inet, bits bit varying(9), xs int[][], price numeric(20,5)
) WITH (fillfactor = 70);

COMMENT ON TABLE app.people IS 'people; -- no comment
COPY app.people FROM stdin;
\.';
COMMENT ON COLUMN app.people.name IS 'with "quotes"';
ALTER TABLE app.people OWNER TO owner_role;
ALTER TABLE app.people ALTER COLUMN secret SET STORAGE EXTERNAL, ALTER COLUMN name SET STATISTICS 500;
CREATE INDEX people_name ON app.people USING btree (lower(name) COLLATE "C" DESC NULLS LAST) INCLUDE (born) WHERE mood <> 'sad';
CREATE INDEX ON app.people USING gin (data jsonb_path_ops); CREATE INDEX ON app.people USING brin (born);
CREATE STATISTICS app.together (dependencies, mcv) ON name, mood FROM app.people;
CLUSTER app.people USING people_pkey;
ALTER TABLE app.people REPLICA IDENTITY FULL;
INSERT INTO app.people (email, name, mood, home, spans, tags, data, secret, born, seen, wait, place, net, bits, xs, price)
SELECT 'p' || i || '@x', CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN E'tab\t nl\n cr\r bs\\ \\N \\. é 漢字 😀' WHEN 3 THEN '\.' ELSE 'NULL' END,
  (enum_range(NULL::app.mood))[1 + i % 4], ROW('street "' || i, i)::app.address, '{[1,2.5),(3,]}', 'a=>1, "b c"=>NULL', jsonb_build_object('i', i, 'q', E'"\\'),
  decode(md5(i::text), 'hex'), CASE i % 3 WHEN 0 THEN 'infinity' ELSE '4713-01-01 BC' END::date, '2026-03-29 02:30+01', '1 year -3 days 00:00:00.5',
  '(1.5,-2)', '10.0.0.0/8', B'10101', ARRAY[[1, NULL], [3, i]], CASE i % 7 WHEN 0 THEN 'NaN' ELSE i / 3.0 END
FROM generate_series(1, 500) i;
UPDATE app.people SET boss = 1000 WHERE id > 1000;
ALTER TABLE app.people ADD CONSTRAINT young CHECK (born < '9999-01-01') NOT VALID;

CREATE TABLE app.a (id int PRIMARY KEY, b int); CREATE TABLE app.b (id int PRIMARY KEY, a int REFERENCES app.a);
INSERT INTO app.a VALUES (1, 1); INSERT INTO app.b VALUES (1, 1);
ALTER TABLE app.a ADD FOREIGN KEY (b) REFERENCES app.b ON DELETE CASCADE;
CREATE TABLE "odd "" schema"."odd "" table; (
with a line)" ("odd "" column" text, "select" int, "COPY x FROM stdin;" text);
INSERT INTO "odd "" schema"."odd "" table; (
with a line)" VALUES ('a', 1, E'COPY x FROM stdin;\n\\.\n'), (NULL, NULL, '');
CREATE TABLE app.no_columns (); INSERT INTO app.no_columns DEFAULT VALUES; INSERT INTO app.no_columns DEFAULT VALUES;
CREATE TABLE app.empty (id int); CREATE UNLOGGED TABLE app.unlogged AS SELECT generate_series(1, 99) AS id;
CREATE TEMP TABLE temporary AS SELECT 1 AS x;
CREATE TABLE app.bookings (room int, during tstzrange, EXCLUDE USING gist (room WITH =, during WITH &&));
INSERT INTO app.bookings VALUES (1, '[2026-01-01,2026-01-02)'), (1, '[2026-01-02,)');
CREATE TABLE app.parent (id int PRIMARY KEY, what text NOT NULL DEFAULT 'p'); CREATE TABLE app.child (more int) INHERITS (app.parent);
INSERT INTO app.parent VALUES (1); INSERT INTO app.child VALUES (2, 'c', 3), (3, 'c', 4);

CREATE TABLE app.events (id bigint, at date NOT NULL, kind text, dropped int) PARTITION BY RANGE (at);
ALTER TABLE app.events DROP COLUMN dropped;
CREATE TABLE app.events_2025 PARTITION OF app.events FOR VALUES FROM (MINVALUE) TO ('2026-01-01') PARTITION BY LIST (kind);
CREATE TABLE app.events_2025_a PARTITION OF app.events_2025 FOR VALUES IN ('a', NULL);
CREATE TABLE app.events_2025_rest PARTITION OF app.events_2025 DEFAULT;
CREATE TABLE app.events_2026 (kind text, id bigint, at date NOT NULL);
ALTER TABLE app.events ATTACH PARTITION app.events_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX events_at ON app.events (at); ALTER TABLE app.events ADD PRIMARY KEY (id, at, kind) ;
CREATE TABLE app.hashed (id int PRIMARY KEY) PARTITION BY HASH (id);
CREATE TABLE app.hashed_0 PARTITION OF app.hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE app.hashed_1 PARTITION OF app.hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO app.events SELECT i, '2025-12-01'::date + i, CASE i % 3 WHEN 0 THEN 'a' ELSE 'b' END FROM generate_series(1, 300) i;
INSERT INTO app.hashed SELECT generate_series(1, 100);

CREATE FUNCTION app.tricky(a text DEFAULT E'it''s \\ $$', VARIADIC more int[] DEFAULT '{}') RETURNS text LANGUAGE plpgsql
  SET search_path TO app, pg_temp SECURITY DEFINER COST 5 AS $body$
-- it's "unbalanced, and
DECLARE x text := $$
COPY app.people (id) FROM stdin;
1
\.
$$;
BEGIN
  /* ' */ RETURN x || '$body' || $1;
END $body$;
COMMENT ON FUNCTION app.tricky(text, int[]) IS 'tricky';
CREATE FUNCTION app.atomic(i int) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE BEGIN ATOMIC SELECT i + 1; END;
CREATE PROCEDURE app.proc(INOUT i int) LANGUAGE plpgsql AS 'BEGIN i := i + 1; END';
CREATE AGGREGATE app.product(float8) (SFUNC = float8mul, STYPE = float8, INITCOND = '1');
CREATE FUNCTION app.near(text, text) RETURNS bool LANGUAGE sql AS 'SELECT lower($1) = lower($2)';
CREATE OPERATOR app.~~~ (LEFTARG = text, RIGHTARG = text, FUNCTION = app.near, COMMUTATOR = OPERATOR(app.~~~));
CREATE FUNCTION app.to_int(app.mood) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT length($1::text)';
CREATE CAST (app.mood AS int) WITH FUNCTION app.to_int(app.mood);
CREATE TEXT SEARCH CONFIGURATION app.search (COPY = simple);
CREATE VIEW app.v WITH (security_barrier) AS SELECT id, name, 'COPY app.people FROM stdin;
\.' AS text FROM app.people WHERE mood > 'sad' WITH LOCAL CHECK OPTION;
CREATE VIEW app.r AS WITH RECURSIVE r (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT n FROM r;
CREATE MATERIALIZED VIEW app.m AS SELECT mood, count(*) FROM app.people GROUP BY 1; CREATE UNIQUE INDEX ON app.m (mood);
CREATE MATERIALIZED VIEW app.unfilled AS SELECT 1 AS x WITH NO DATA;
CREATE TABLE app.log (id serial, what text, at timestamptz DEFAULT now());
CREATE FUNCTION app.logs() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO app.log (what) VALUES (TG_OP); RETURN NEW; END $$;
CREATE TRIGGER logs AFTER INSERT OR UPDATE OF mood ON app.people FOR EACH ROW WHEN (NEW.mood = 'sad') EXECUTE FUNCTION app.logs();
CREATE CONSTRAINT TRIGGER later AFTER DELETE ON app.people DEFERRABLE FOR EACH ROW EXECUTE FUNCTION app.logs();
ALTER TABLE app.people DISABLE TRIGGER later;
CREATE TRIGGER doubles AFTER INSERT ON app.bookings FOR EACH ROW EXECUTE FUNCTION app.logs();
CREATE RULE no_delete AS ON DELETE TO app.log DO INSTEAD NOTHING;
CREATE RULE also AS ON INSERT TO app.empty DO ALSO INSERT INTO app.log (what) VALUES ('empty');
CREATE FUNCTION app.ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO app.log (what) VALUES (tg_tag); END $$;
INSERT INTO app.log (what) VALUES ('one'), ('two');

ALTER TABLE app.bookings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON app.bookings AS RESTRICTIVE FOR SELECT TO reader, "odd "" role, with: signs" USING (room < 100);
CREATE POLICY all_of_it ON app.bookings USING (true) WITH CHECK (room > 0);
GRANT SELECT (id, name), UPDATE (name) ON app.people TO reader; GRANT ALL ON app.a TO "odd "" role, with: signs" WITH GRANT OPTION;
GRANT USAGE ON SCHEMA app TO PUBLIC; GRANT USAGE ON SEQUENCE app.numbers TO reader; REVOKE EXECUTE ON FUNCTION app.near(text, text) FROM PUBLIC;
GRANT USAGE ON TYPE app.mood TO reader;

CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE app.passwd (line text) SERVER files OPTIONS (filename '/etc/passwd', delimiter E'\x01');
CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', dbname 'it''s');
CREATE USER MAPPING FOR reader SERVER other OPTIONS (user 'u', password 'p''w');
CREATE FOREIGN TABLE app.far (id int OPTIONS (column_name 'ID')) SERVER other OPTIONS (table_name 't');
CREATE PUBLICATION few FOR TABLE app.a, app.b (id) WHERE (id > 0) WITH (publish = 'insert');
CREATE PUBLICATION whole FOR TABLES IN SCHEMA app;
SELECT lo_from_bytea(4711, decode(repeat('00ff5c', 300000), 'hex')), lo_from_bytea(4712, '');
ALTER LARGE OBJECT 4711 OWNER TO owner_role; GRANT SELECT ON LARGE OBJECT 4711 TO reader; COMMENT ON LARGE OBJECT 4712 IS 'nothing';
DO $$ BEGIN
  IF current_setting('server_version_num')::int >= 180000 THEN
    EXECUTE $x$ALTER TABLE app.empty ADD virtual int GENERATED ALWAYS AS (id + 1) VIRTUAL$x$;
    EXECUTE $x$CREATE TABLE app.periods (id int, during daterange, PRIMARY KEY (id, during WITHOUT OVERLAPS))$x$;
    EXECUTE $x$ALTER TABLE app.b ADD CONSTRAINT loose CHECK (id > 0) NOT ENFORCED$x$;
  END IF;
  IF current_setting('server_version_num')::int >= 170000 THEN
    EXECUTE $x$CREATE COLLATION app.builtin (provider = builtin, locale = 'C.UTF-8')$x$;
  END IF;
END $$;
CREATE EVENT TRIGGER watch ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'DROP TABLE') EXECUTE FUNCTION app.ddl();
CREATE EVENT TRIGGER asleep ON sql_drop EXECUTE FUNCTION app.ddl(); ALTER EVENT TRIGGER asleep DISABLE;
