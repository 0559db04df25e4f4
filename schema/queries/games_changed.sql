-- The games that were changed since a version of the catalogue.
SELECT document, created_at, updated_at FROM game_document WHERE catalogue_version > $1
