"""The firewall: the application's role sees one hub at a time, of it what the person who acts may reach, and of what agencies
hold only their own and what was released. Who looked at which case is written down with the looking.

`mash_app` is what people act through: every transaction says who acts, for which agency, at which hub and how far they reach, and
without that it sees nothing. `mash_system` is what the software does by itself (clocks, notices, watching): it sees all hubs.
Neither owns anything, so that neither can switch this off.
"""

from alembic import op

revision = "0004"
down_revision = "0003"

TABLES = """
ALTER TABLE event ADD COLUMN hub text;
UPDATE event e SET hub = r.hub FROM referral r WHERE r.reference = e.reference;
ALTER TABLE event ALTER COLUMN hub SET NOT NULL;
ALTER TABLE referral_key ADD COLUMN hub text;
UPDATE referral_key k SET hub = r.hub FROM referral r WHERE r.reference = k.reference;
ALTER TABLE referral_key ALTER COLUMN hub SET NOT NULL;
ALTER TABLE personal_item ADD COLUMN hub text;
UPDATE personal_item i SET hub = r.hub FROM referral r WHERE r.reference = i.reference;
ALTER TABLE personal_item ALTER COLUMN hub SET NOT NULL;
ALTER TABLE receipt ADD COLUMN hub text;
UPDATE receipt p SET hub = coalesce(
    (SELECT r.hub FROM referral r WHERE r.reference = p.reference),
    (SELECT k.hub FROM api_key k WHERE k.caller = p.caller LIMIT 1), '');
ALTER TABLE receipt ALTER COLUMN hub SET NOT NULL;
CREATE TABLE participant (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, reference text NOT NULL, party text NOT NULL, hub text NOT NULL,
    person text NOT NULL DEFAULT '', until timestamptz);
CREATE UNIQUE INDEX participant_whole ON participant (reference, party) WHERE person = '';
CREATE INDEX participant_person ON participant (reference, person) WHERE person <> '';
INSERT INTO participant (reference, party, hub)
    SELECT r.reference, a.agency, r.hub FROM referral r, json_object_keys(r.state::json -> 'checks') AS a (agency)
    UNION SELECT i.reference, i.owner_agency, r.hub FROM personal_item i JOIN referral r USING (reference)
    WHERE i.kind IN ('answer_check', 'contribute_information');
CREATE INDEX participant_party ON participant (hub, party);
CREATE TABLE access (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL, person text NOT NULL, role text NOT NULL,
    agency text NOT NULL, hub text NOT NULL, reference text NOT NULL, action text NOT NULL, why text NOT NULL);
CREATE INDEX access_reference ON access (reference, id);
CREATE INDEX access_person ON access (person, id)
"""

# What a transaction says of itself: hub, agency, actor, role, reach ('hub', 'involved' or 'own'), and the domain's time.
# A setting that was never made is null, one that a transaction has ended is empty: both equal nothing.
REACHED = """
    hub = current_setting('mash.hub', true) AND CASE current_setting('mash.reach', true)
        WHEN 'hub' THEN true
        WHEN 'own' THEN caller = current_setting('mash.actor', true)
        WHEN 'involved' THEN EXISTS (
            SELECT FROM participant p WHERE p.reference = referral.reference
                AND p.party IN (current_setting('mash.agency', true), current_setting('mash.role', true))
                AND p.person IN ('', current_setting('mash.actor', true))
                AND (p.until IS NULL OR p.until > current_setting('mash.now', true)::timestamptz))
        ELSE false END"""
OF_REACHED = """
    hub = current_setting('mash.hub', true) AND (current_setting('mash.reach', true) = 'hub'
        OR EXISTS (SELECT FROM referral r WHERE r.reference = {table}.reference))"""
OF_HUB = "hub = current_setting('mash.hub', true)"
OWN_AGENCY = "owner_agency = current_setting('mash.agency', true)"

POLICIES = f"""
CREATE POLICY reached ON referral FOR SELECT TO mash_app USING ({REACHED});
CREATE POLICY begun ON referral FOR INSERT TO mash_app WITH CHECK ({OF_HUB});
CREATE POLICY changed ON referral FOR UPDATE TO mash_app USING ({REACHED}) WITH CHECK ({OF_HUB});
CREATE POLICY reached ON event FOR SELECT TO mash_app USING ({OF_REACHED.format(table="event")});
CREATE POLICY said_by_whoever_acts ON event FOR INSERT TO mash_app WITH CHECK ({OF_HUB}
    AND canonical::json -> 'by' ->> 'id' = current_setting('mash.actor', true)
    AND canonical::json -> 'by' ->> 'agency' = current_setting('mash.agency', true));
CREATE POLICY reached ON referral_key FOR SELECT TO mash_app USING ({OF_REACHED.format(table="referral_key")});
CREATE POLICY made ON referral_key FOR INSERT TO mash_app WITH CHECK ({OF_HUB});
CREATE POLICY firewall ON personal_item FOR SELECT TO mash_app USING ({OF_REACHED.format(table="personal_item")}
    AND (kind NOT IN ('answer_check', 'contribute_information', 'redacted') OR release_state = 'released' OR {OWN_AGENCY}));
CREATE POLICY kept ON personal_item FOR INSERT TO mash_app WITH CHECK ({OF_HUB});
CREATE POLICY released_by_its_owner ON personal_item FOR UPDATE TO mash_app
    USING ({OF_HUB} AND {OWN_AGENCY}) WITH CHECK ({OF_HUB} AND {OWN_AGENCY});
CREATE POLICY own ON receipt TO mash_app USING ({OF_HUB} AND caller = current_setting('mash.actor', true));
CREATE POLICY reached ON notice FOR SELECT TO mash_app USING ({OF_REACHED.format(table="notice")});
CREATE POLICY queued ON notice FOR INSERT TO mash_app WITH CHECK ({OF_HUB});
CREATE POLICY ended ON notice FOR UPDATE TO mash_app USING ({OF_REACHED.format(table="notice")}) WITH CHECK ({OF_HUB});
CREATE POLICY of_hub ON participant TO mash_app USING ({OF_HUB});
CREATE POLICY of_hub ON rota FOR SELECT TO mash_app USING ({OF_HUB});
CREATE POLICY looked ON access FOR INSERT TO mash_app WITH CHECK ({OF_HUB}
    AND person = current_setting('mash.actor', true) AND role = current_setting('mash.role', true));
CREATE POLICY examined ON access FOR SELECT TO mash_app
    USING ({OF_HUB} AND current_setting('mash.role', true) = 'information_governance')
"""
GUARDED = ("referral", "event", "referral_key", "personal_item", "receipt", "notice", "participant", "rota", "access")

# A split copies what every agency holds of a case; nobody who decides may read it all. What is handed out is sealed, and only
# while the log says that this referral has just been split off.
SPLIT = """
CREATE FUNCTION items_of_split(parent text, child text) RETURNS SETOF personal_item
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT i.* FROM personal_item i
    WHERE i.reference = parent AND i.hub = current_setting('mash.hub', true)
        AND EXISTS (
            SELECT FROM event e WHERE e.reference = parent AND e.kind = 'referral_split'
                AND e.canonical::json -> 'event' ->> 'reference' = child)
        AND NOT EXISTS (SELECT FROM referral r WHERE r.reference = child)
    ORDER BY i.created_at, i.id
$$
"""

GRANTS = """
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM mash_app;
REVOKE ALL ON FUNCTION items_of_split FROM PUBLIC;
GRANT EXECUTE ON FUNCTION items_of_split TO mash_app, mash_system;
GRANT SELECT, INSERT ON event, referral_key, receipt, access, participant TO mash_app;
GRANT SELECT, INSERT, UPDATE ON referral, notice TO mash_app;
GRANT SELECT, INSERT, UPDATE (release_state) ON personal_item TO mash_app;
GRANT SELECT ON profile_version, time_anchor, rota TO mash_app;
GRANT USAGE ON SCHEMA public TO mash_system;
GRANT SELECT, INSERT ON profile_version, event, receipt, api_key, repair, time_anchor, rota, access, participant TO mash_system;
GRANT SELECT, INSERT, UPDATE ON referral, referral_key, notice, delivery, pulse TO mash_system;
GRANT SELECT, INSERT, UPDATE (release_state) ON personal_item TO mash_system;
GRANT UPDATE (revoked_at) ON api_key TO mash_system;
GRANT DELETE ON pulse TO mash_system;
GRANT USAGE ON SEQUENCE referral_number TO mash_system
"""


def upgrade() -> None:
    """Say whose every row is, shut the tables, and open to each role what it needs."""
    for statement in TABLES.split(";"):
        op.execute(statement)
    for table in GUARDED:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY system ON {table} TO mash_system USING (true)")
    for statement in POLICIES.split(";"):
        op.execute(statement)
    op.execute(SPLIT)
    for statement in GRANTS.split(";"):
        op.execute(statement)


def downgrade() -> None:
    """There is no way back: what was shut stays shut."""
    raise NotImplementedError("restore a backup that was made before the upgrade")
