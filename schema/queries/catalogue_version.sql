SELECT version FROM catalogue_head
