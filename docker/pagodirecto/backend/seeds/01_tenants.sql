-- Two tenants for development, with a customer each and somebody who may log in with the password "for development".
INSERT INTO identity.tenants (tenant_id, name) VALUES
    ('aaaaaaaa-0000-4000-8000-000000000001', 'Aurora'),
    ('bbbbbbbb-0000-4000-8000-000000000002', 'Boreal')
ON CONFLICT DO NOTHING;

INSERT INTO identity.users (tenant_id, email, password_hash) VALUES
    ('aaaaaaaa-0000-4000-8000-000000000001', 'ana@aurora.example', crypt('for development', gen_salt('bf', 6))),
    ('bbbbbbbb-0000-4000-8000-000000000002', 'berta@boreal.example', crypt('for development', gen_salt('bf', 6)))
ON CONFLICT DO NOTHING;

INSERT INTO customers.customers (id, tenant_id, name) VALUES
    ('aaaaaaaa-0000-4000-8000-00000000000c', 'aaaaaaaa-0000-4000-8000-000000000001', 'Azucarera del Norte'),
    ('bbbbbbbb-0000-4000-8000-00000000000c', 'bbbbbbbb-0000-4000-8000-000000000002', 'Bodegas Blancas')
ON CONFLICT DO NOTHING;
