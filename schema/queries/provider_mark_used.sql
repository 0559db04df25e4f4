-- From here on what keys are made by is fixed. Of the revision that the caller goes by: if it moved, he has to look.
UPDATE provider SET used_at = coalesce(used_at, $3) WHERE id = $1 AND revision = $2
