SELECT version FROM catalogue_head FOR UPDATE
