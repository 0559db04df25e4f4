-- Without an owner the next claim raises the epoch, so that nothing of $1 that is still under way counts.
UPDATE webhook SET owner = NULL, lease_until = '-infinity' WHERE owner = $1
