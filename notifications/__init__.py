"""Who is told what: wording (pure), and the sender, the only importer of apprise."""
