-- By the number alone, and of this account then: the index of times has both, but not in an order that helps.
SELECT * FROM (SELECT * FROM callback_log WHERE number = $2 OFFSET 0) c WHERE c.provider_id = $1
