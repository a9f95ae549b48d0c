"""Making a referral page by page, for whoever does so once a month."""
