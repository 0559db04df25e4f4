-- What a dialect lets a provider account choose besides its policy: a JSON object of texts, of the choices that were made.
ALTER TABLE provider ADD COLUMN settings text NOT NULL DEFAULT '{}';
