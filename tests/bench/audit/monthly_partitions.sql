-- One partition for each of the last 12 months, as if the server had been running all the time.
DO $$ DECLARE month timestamp; edges uuid[]; BEGIN
  FOR back IN 1..12 LOOP
    month := date_trunc('month', now() AT TIME ZONE 'UTC') - make_interval(months => back);
    edges := ARRAY(
      SELECT (lpad(to_hex((extract(epoch FROM edge) * 1000)::bigint), 12, '0')
        || repeat('0', 20))::uuid
      FROM unnest(ARRAY[month, month + interval '1 month']) AS edge);
    EXECUTE format(
      'CREATE TABLE %I PARTITION OF audit_event FOR VALUES FROM (%L) TO (%L)',
      'audit_event_' || to_char(month, 'YYYY_MM'), edges[1], edges[2]);
  END LOOP;
END $$;
