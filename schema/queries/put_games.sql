-- Puts games in, or in the place of those with their ids. $1 a JSON list, $2 now.
INSERT INTO game (
    id, provider_id, name, category, tags, rtp, volatility, currencies, limits, devices, languages, countries_allowed,
    countries_denied, demo, jackpots, package_version, checksum, launch_url, image, sort_weight, enabled,
    finish_open_round, session_limit_s, max_sessions, created_at, updated_at
)
SELECT
    g.id, g.provider, g.name, g.category, g.tags, g.rtp, g.volatility, g.currencies, g.limits::text, g.devices,
    g.languages, c.allow, c.deny, g.demo, g.jackpots, g.version, g.checksum, g.launch_url, g.image, g.sort_weight,
    g.enabled, g.finish_open_round, g.session_limit_s, g.max_sessions, $2::timestamptz, $2::timestamptz
FROM json_to_recordset($1::text::json) AS g (
    id text, provider text, name text, category text, tags text[], rtp text, volatility text, currencies text[],
    limits json, devices text[], languages text[], countries json, demo boolean, jackpots text[], version text,
    checksum text, launch_url text, image text, sort_weight integer, enabled boolean, finish_open_round boolean,
    session_limit_s integer, max_sessions integer
)
CROSS JOIN LATERAL json_to_record(g.countries) AS c (allow text[], deny text[])
ON CONFLICT (id) DO UPDATE
SET provider_id = excluded.provider_id, name = excluded.name, category = excluded.category, tags = excluded.tags,
    rtp = excluded.rtp, volatility = excluded.volatility, currencies = excluded.currencies,
    limits = excluded.limits, devices = excluded.devices, languages = excluded.languages,
    countries_allowed = excluded.countries_allowed, countries_denied = excluded.countries_denied,
    demo = excluded.demo, jackpots = excluded.jackpots, package_version = excluded.package_version,
    checksum = excluded.checksum, launch_url = excluded.launch_url, image = excluded.image,
    sort_weight = excluded.sort_weight, enabled = excluded.enabled,
    finish_open_round = excluded.finish_open_round, session_limit_s = excluded.session_limit_s,
    max_sessions = excluded.max_sessions, updated_at = excluded.updated_at
