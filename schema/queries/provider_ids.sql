SELECT id FROM provider
