SELECT settings::text AS settings FROM noted_config FOR UPDATE
