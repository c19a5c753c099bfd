-- Nobody can log in as this user: "!" is no hash of anything.
INSERT INTO users (id, email, password_hash)
VALUES ('00000000-0000-4000-8000-000000000001', 'demo@example.org', '!')
ON CONFLICT DO NOTHING;

INSERT INTO items (id, user_id, name, category, price_cents)
VALUES
    ('00000000-0000-4000-8000-000000000011', '00000000-0000-4000-8000-000000000001', 'Brass desk lamp', 'home', 1800),
    ('00000000-0000-4000-8000-000000000012', '00000000-0000-4000-8000-000000000001', 'Denim jacket', 'clothing', 2450)
ON CONFLICT DO NOTHING;
