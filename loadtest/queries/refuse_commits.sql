-- A ledger that can refuse commits as a full disk does: with 53100, and at the very end of the transaction, when
-- every statement of it has succeeded. Off until `per_cent` is above 0. In a schema of its own, which the server
-- does not know.
CREATE SCHEMA fault;
CREATE TABLE fault.refused_commits (per_cent integer NOT NULL);
INSERT INTO fault.refused_commits VALUES (0);

CREATE FUNCTION fault.refuse_commit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT per_cent FROM fault.refused_commits) > random() * 100 THEN
        RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
    END IF;
    RETURN NULL;
END $$;
-- Deferred: it fires at the commit.
CREATE CONSTRAINT TRIGGER refuse_commit AFTER UPDATE ON player DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION fault.refuse_commit();
