INSERT INTO noted_config (settings, at) VALUES ($1::text::jsonb, $2)
ON CONFLICT (only_row) DO UPDATE SET settings = excluded.settings, at = excluded.at
