-- Events of one year: {events} in all, half of them in the first of {orgs} orgs.
SET session_replication_role = replica;
SET synchronous_commit = off;
INSERT INTO audit_event (id, occurred_at, org_id, org_slug, actor_type, actor_id,
  actor_email, action, outcome, target_type, target_id, target_label, summary, metadata,
  ip, user_agent, request_id, schema_version, salts, ticket_ref, impersonation_id,
  on_behalf_of_id, on_behalf_of_email)
SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0')
    || '7' || lpad(to_hex(n % 4096), 3, '0') || '8' || lpad(to_hex(n), 15, '0'))::uuid,
  at, org.id, org.slug, 'user',
  (lpad(to_hex(mixed % 50), 12, '0') || '70008' || lpad(to_hex(org.nth), 15, '0'))::uuid,
  'member-' || mixed % 50 || '@' || org.slug || '.example',
  (ARRAY['user.role_changed', 'settings.updated', 'org.updated', 'permission.denied',
      'auth.logged_out', 'user.removed'])
    [1 + CASE WHEN mixed % 1000 = 0 THEN 5 ELSE mixed % 5 END],
  CASE WHEN mixed % 5 = 3 THEN 'denied' ELSE 'succeeded' END,
  'member', 'mem_' || mixed % 5000,
  'member-' || mixed % 5000 || '@' || org.slug || '.example',
  'Member ' || mixed % 50 || ' changed something of member ' || mixed % 5000,
  '{"role": {"old": "viewer", "new": "member"}}',
  '203.0.' || mixed % 100 || '.' || mixed % 250, 'Mozilla/5.0 (X11; Linux x86_64)',
  md5(n::text), 1, decode(repeat('ab', 112), 'hex'),
  CASE WHEN target THEN 'SUP-' || mixed % 10000 END,
  CASE WHEN target THEN (lpad(to_hex(mixed % 10000), 12, '0')
    || '70018' || lpad(to_hex(org.nth), 15, '0'))::uuid END,
  CASE WHEN target THEN (lpad(to_hex(mixed % 500), 12, '0')
    || '70008' || lpad(to_hex(org.nth), 15, '0'))::uuid END,
  CASE WHEN target THEN 'member-' || mixed % 500 || '@' || org.slug || '.example' END
FROM generate_series(1, {events}) AS n
CROSS JOIN LATERAL (SELECT (n::bigint * 2654435761 % 4294967296) / 64 AS mixed) AS mixing
CROSS JOIN LATERAL (SELECT mixed % 50 = 7 AS target) AS impersonation
JOIN LATERAL (
  SELECT CASE WHEN n % 2 = 0 THEN 1 ELSE 2 + (n / 2) % ({orgs} - 1) END AS nth
) AS which ON true
JOIN (
  SELECT id, slug, row_number() OVER (ORDER BY id) AS nth
  FROM organization WHERE slug LIKE 'many-%'
) AS org USING (nth)
CROSS JOIN LATERAL (
  SELECT now() - interval '365 days' + n * (interval '365 days' / {events}) AS at
) AS happened;
INSERT INTO audit_leaf (org_id, leaf_index, event_id, hash)
SELECT org_id, row_number() OVER (PARTITION BY org_id ORDER BY id) - 1, id,
  decode(repeat('ab', 32), 'hex')
FROM audit_event WHERE org_slug LIKE 'many-%';
