"""The pure core: what a referral is and what it may become. No I/O, no clock, no database, no Prefect."""
