SELECT enabled, finish_open_round, reason, changed_at FROM gaming
