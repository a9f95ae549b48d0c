"""Whose eyes the application's role has, and what it writes, hangs on what the program signs for each transaction, no longer on a
variable that a query sets; and rows that let somebody in have a seal.

Policies ask `acting(...)`, which believes a token only where it is signed by `caller_key` for this very transaction of this very
connection. `mash_app` reads neither the key nor writes a case: `write_referrals` does, as the owner, once it has compared what it
is told with the log.
"""

from alembic import op

revision = "0014"
down_revision = "0013"

TABLES = """
CREATE TABLE caller_key (
    id integer PRIMARY KEY CHECK (id = 1), key bytea NOT NULL, inner_pad bytea NOT NULL, outer_pad bytea NOT NULL);
CREATE TABLE sealing (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL, sessions integer NOT NULL,
    api_keys integer NOT NULL, participants integer NOT NULL);
ALTER TABLE session ADD COLUMN seal text;
ALTER TABLE api_key ADD COLUMN seal text;
ALTER TABLE participant ADD COLUMN seal text
"""

# HMAC-SHA256, of which PostgreSQL has only the hash: the key's two pads are kept ready. The pid and the beginning of the
# transaction are what no query can set.
IDENTITY = """
CREATE FUNCTION this_transaction() RETURNS text
LANGUAGE sql STABLE PARALLEL RESTRICTED
RETURN pg_backend_pid() || ' ' || CAST(extract(epoch FROM transaction_timestamp()) * 1000000 AS bigint);

CREATE FUNCTION signed_here(purpose text, content text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (SELECT encode(sha256(outer_pad || sha256(inner_pad
        || convert_to(purpose || ' ' || this_transaction() || ' ' || content, 'UTF8'))), 'hex') FROM caller_key);
END $$;

CREATE FUNCTION whoever_acts() RETURNS json
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    token text := current_setting('mash.who', true);
BEGIN
    -- Never set, it is null; set by a transaction that has ended, empty.
    IF coalesce(token, '') = '' OR left(token, 64) IS DISTINCT FROM (
            SELECT encode(sha256(outer_pad || sha256(inner_pad
                || convert_to('who ' || this_transaction() || ' ' || substr(token, 65), 'UTF8'))), 'hex') FROM caller_key) THEN
        RETURN NULL;
    END IF;
    RETURN CAST(substr(token, 65) AS json);
END $$;

CREATE FUNCTION my_parties() RETURNS text[]
LANGUAGE sql STABLE PARALLEL RESTRICTED
RETURN (SELECT ARRAY[w ->> 'agency', w ->> 'role'] FROM (SELECT whoever_acts() OFFSET 0) f (w));

CREATE FUNCTION acting(part text) RETURNS text
LANGUAGE sql STABLE PARALLEL RESTRICTED
RETURN whoever_acts() ->> part
"""

# In a sub-select each is asked once a query, not once a row.
REACHED = """
    hub = (SELECT acting('hub')) AND CASE (SELECT acting('reach'))
        WHEN 'hub' THEN true
        WHEN 'own' THEN caller = (SELECT acting('actor'))
        WHEN 'involved' THEN EXISTS (
            SELECT FROM participant p WHERE p.reference = referral.reference
                AND p.party = ANY (CAST((SELECT my_parties()) AS text[]))
                AND p.person IN ('', (SELECT acting('actor')))
                AND (p.until IS NULL OR p.until > CAST((SELECT acting('now')) AS timestamptz)))
        ELSE false END"""
OF_REACHED = """
    hub = (SELECT acting('hub')) AND ((SELECT acting('reach')) = 'hub'
        OR EXISTS (SELECT FROM referral r WHERE r.reference = {table}.reference))"""
OF_HUB = "hub = (SELECT acting('hub'))"
AT_THE_TABLE = """
    (SELECT acting('reach')) = 'hub' OR EXISTS (
        SELECT FROM participant p WHERE p.reference = personal_item.reference AND p.person = ''
            AND p.party = ANY (CAST((SELECT my_parties()) AS text[])))"""

# To lock a case is not to change it: whoever may lock a row has to have leave to change some column.
POLICIES = f"""
DROP POLICY reached ON referral;
DROP POLICY begun ON referral;
DROP POLICY changed ON referral;
CREATE POLICY reached ON referral FOR SELECT TO mash_app USING ({REACHED});
CREATE POLICY locked ON referral FOR UPDATE TO mash_app USING ({REACHED}) WITH CHECK (false);
DROP POLICY reached ON event;
DROP POLICY said_by_whoever_acts ON event;
CREATE POLICY reached ON event FOR SELECT TO mash_app USING ({OF_REACHED.format(table="event")});
DROP POLICY reached ON referral_key;
DROP POLICY made ON referral_key;
CREATE POLICY reached ON referral_key FOR SELECT TO mash_app USING ({OF_REACHED.format(table="referral_key")});
DROP POLICY firewall ON personal_item;
DROP POLICY kept ON personal_item;
DROP POLICY released_by_its_owner ON personal_item;
CREATE POLICY firewall ON personal_item FOR SELECT TO mash_app USING ({OF_REACHED.format(table="personal_item")}
    AND (kind NOT IN ('answer_check', 'contribute_information', 'redacted') OR owner_agency = (SELECT acting('agency'))
        OR (release_state = 'released' AND ({AT_THE_TABLE}))));
DROP POLICY own ON receipt;
CREATE POLICY own ON receipt FOR SELECT TO mash_app USING ({OF_HUB} AND caller = (SELECT acting('actor')));
CREATE POLICY answered ON receipt FOR INSERT TO mash_app WITH CHECK ({OF_HUB} AND caller = (SELECT acting('actor'))
    AND (reference IS NULL OR EXISTS (SELECT FROM referral r WHERE r.reference = receipt.reference)));
DROP POLICY reached ON notice;
DROP POLICY queued ON notice;
DROP POLICY ended ON notice;
CREATE POLICY reached ON notice FOR SELECT TO mash_app USING ({OF_REACHED.format(table="notice")});
DROP POLICY of_hub ON participant;
CREATE POLICY of_hub ON participant FOR SELECT TO mash_app USING ({OF_HUB} AND ((SELECT acting('reach')) = 'hub'
    OR party = ANY (CAST((SELECT my_parties()) AS text[]))));
DROP POLICY of_hub ON rota;
CREATE POLICY of_hub ON rota FOR SELECT TO mash_app USING ({OF_HUB});
DROP POLICY looked ON access;
DROP POLICY examined ON access;
CREATE POLICY looked ON access FOR INSERT TO mash_app WITH CHECK ((hub, person, role, agency) = (
    SELECT w ->> 'hub', w ->> 'actor', w ->> 'role', w ->> 'agency' FROM (SELECT whoever_acts() OFFSET 0) f (w)));
CREATE POLICY examined ON access FOR SELECT TO mash_app
    USING ({OF_HUB} AND (SELECT acting('role')) = 'information_governance');
DROP POLICY of_hub ON known_person;
DROP POLICY indexed ON known_person;
CREATE POLICY of_hub ON known_person FOR SELECT TO mash_app USING ({OF_HUB} AND (SELECT acting('reach')) = 'hub')
"""  # noqa: S608  constants of ours

# What a transaction is about to write, and why it may not: the first of these that is so. Each part is asked only where there is
# something of it to write.
UNFOUNDED = """
CREATE FUNCTION unfounded(rows json) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    who json := whoever_acts();
    my_id text := who ->> 'actor';
    my_role text := who ->> 'role';
    my_agency text := who ->> 'agency';
    my_hub text := who ->> 'hub';
    my_reach text := who ->> 'reach';
    me jsonb := jsonb_build_object('id', my_id, 'role', my_role, 'agency', my_agency, 'hub', my_hub);
    pace interval := (SELECT greatest(rate, 1) FROM time_anchor) * interval '5 seconds';
    soonest timestamptz := CAST(who ->> 'now' AS timestamptz) - pace;
    latest timestamptz := CAST(who ->> 'now' AS timestamptz) + pace
        + (SELECT rate FROM time_anchor) * (clock_timestamp() - transaction_timestamp());
    events jsonb[];  -- the events
    texts text;  -- as they are written
    heads jsonb;  -- by reference: the number and the hash of the last one
    states json;  -- by reference: what it becomes
    asked text[];  -- who is asked in which
    founded boolean;
    doc record;
BEGIN
    -- Once: JSON that is text is read anew for each part that is taken out of it.
    SELECT * INTO doc FROM json_to_record(rows) AS parts (
        keys json, items json, released json, begun json, changed json, events json, notices json, over json, parties json,
        people json);
    SELECT array_agg(j), string_agg(canonical, ''), bool_and(holds),
        jsonb_object_agg(reference, jsonb_build_array(sequence, hash) ORDER BY sequence)
    INTO events, texts, founded, heads FROM (
        SELECT e.reference, e.sequence, e.hash, e.canonical, j, (
            e.hub = my_hub AND j -> 'by' = me AND coalesce(r.hub = my_hub, true)
            AND j ->> 'reference' = e.reference AND j -> 'sequence' = to_jsonb(e.sequence) AND j -> 'event' ->> 'kind' = e.kind
            AND CAST(j ->> 'at' AS timestamptz) = e.at AND e.at BETWEEN soonest AND latest
            AND e.hash = encode(sha256(convert_to(e.canonical, 'UTF8')), 'hex')
            AND e.sequence = coalesce(r.version, 0) + row_number() OVER w
            AND j ->> 'previous' = coalesce(lag(e.hash) OVER w, r.head_hash, repeat('0', 64))) IS TRUE AS holds
        FROM json_populate_recordset(NULL::event, doc.events) e
            CROSS JOIN LATERAL (SELECT CAST(e.canonical AS jsonb) OFFSET 0) parsed (j)
            LEFT JOIN referral r USING (reference)
        WINDOW w AS (PARTITION BY e.reference ORDER BY e.sequence)) each;
    IF founded IS NOT TRUE THEN
        RETURN 'an event that does not follow from the log, or is not of whoever acts, here and now';
    END IF;
    IF session_user = 'mash_app' AND my_reach <> 'hub' AND EXISTS (
            SELECT FROM referral r WHERE r.reference IN (SELECT jsonb_object_keys(heads)) AND CASE my_reach
                WHEN 'own' THEN r.caller = my_id
                WHEN 'involved' THEN EXISTS (SELECT FROM participant p
                    WHERE p.reference = r.reference AND p.person = '' AND p.party IN (my_agency, my_role))
                END IS NOT TRUE) THEN
        RETURN 'an event of a case in which whoever acts has no part';
    END IF;
    SELECT count(*) = (SELECT count(*) FROM jsonb_object_keys(heads)) AND bool_and(
        heads -> n.reference = jsonb_build_array(n.version, n.head_hash)
        AND j.version = n.version AND j.hub = my_hub AND j.stage = n.stage AND j.rating IS NOT DISTINCT FROM n.rating
        AND n.due_at IS NOT DISTINCT FROM c.due_at AND n.next_at IS NOT DISTINCT FROM c.next_at
        AND n.is_open = EXISTS (SELECT FROM json_each(j.subjects) s WHERE s.value ->> 'outcome' IS NULL)
        AND n.finished = (NOT n.is_open AND n.next_at IS NULL)) INTO founded
    FROM (SELECT * FROM json_populate_recordset(NULL::referral, doc.changed)
            UNION ALL SELECT * FROM json_populate_recordset(NULL::referral, doc.begun)) n,
        json_to_record(CAST(n.state AS json)) AS j (
            version integer, hub text, stage text, rating text, clocks json, subjects json),
        LATERAL (
            SELECT min(due_at) AS due_at, min(least(next_rung_at, CASE WHEN breached_at IS NULL THEN
                coalesce(CAST(warn_at ->> warned AS timestamptz), due_at) END)) AS next_at
            FROM json_each(j.clocks) k, json_to_record(k.value) AS clock (due_at timestamptz, next_rung_at timestamptz,
                breached_at timestamptz, ended_at timestamptz, warn_at json, warned integer) WHERE ended_at IS NULL) c;
    IF founded IS NOT TRUE THEN
        RETURN 'a state that is not the one of its log and of its clocks';
    END IF;
    IF json_array_length(doc.begun) > 0 AND EXISTS (
            SELECT FROM json_populate_recordset(NULL::referral, doc.begun) n JOIN unnest(events) e
                ON e ->> 'reference' = n.reference AND e ->> 'sequence' = '1'
            WHERE (n.hub = my_hub AND CASE e -> 'event' ->> 'kind'
                WHEN 'contact_received' THEN n.root = n.reference AND n.caller = my_id
                WHEN 'continued_from' THEN EXISTS (
                    SELECT FROM referral p JOIN event s ON s.reference = p.reference AND s.kind = 'referral_split'
                    WHERE p.reference = e #>> '{event,parent}' AND p.root = n.root AND p.caller = n.caller AND p.hub = my_hub
                        AND CAST(s.canonical AS jsonb) #>> '{event,reference}' = n.reference)
                END) IS NOT TRUE) THEN
        RETURN 'a referral that nobody made';
    END IF;
    IF (json_array_length(doc.keys) > 0 OR json_array_length(doc.people) > 0) AND EXISTS (
            SELECT FROM (SELECT * FROM json_to_recordset(doc.keys) AS k (reference text, hub text)
                UNION ALL SELECT * FROM json_to_recordset(doc.people) AS p (reference text, hub text)) new
            WHERE (hub = my_hub AND reference IN (SELECT n ->> 'reference' FROM json_array_elements(doc.begun) n))
                IS NOT TRUE) THEN
        RETURN 'a key or a name of a case that does not begin';
    END IF;
    -- What somebody wrote with an act whose event has no words is kept too, as their own.
    IF json_array_length(doc.items) > 0 AND EXISTS (
            SELECT FROM json_to_recordset(doc.items) AS i (id text, reference text, hub text, kind text, owner_agency text,
                created_by text, created_at timestamptz, release_state text)
            WHERE (i.hub = my_hub AND heads ? i.reference AND (strpos(texts, i.id) > 0 OR i.kind <> 'redacted') AND (
                (i.owner_agency = my_agency AND i.created_by = my_id AND i.release_state = 'held') OR EXISTS (
                SELECT FROM unnest(events) e WHERE e ->> 'reference' = i.reference AND CASE e -> 'event' ->> 'kind'
                    WHEN 'information_released' THEN i.owner_agency = my_agency AND i.created_by = my_id
                        AND e #>> '{event,redacted,item}' = i.id
                    WHEN 'continued_from' THEN EXISTS (
                        SELECT FROM personal_item o WHERE o.reference = e #>> '{event,parent}' AND o.kind = i.kind
                            AND (o.owner_agency, o.created_by, o.created_at, o.release_state)
                                = (i.owner_agency, i.created_by, i.created_at, i.release_state)) END))) IS NOT TRUE) THEN
        RETURN 'words that no event names, or that are somebody else''s';
    END IF;
    IF json_array_length(doc.released) > 0 AND EXISTS (
            SELECT FROM json_array_elements_text(doc.released) id
                LEFT JOIN personal_item i ON i.id = CAST(id.value AS uuid)
            WHERE (i.hub = my_hub AND i.owner_agency = my_agency AND EXISTS (
                SELECT FROM unnest(events) e
                WHERE e ->> 'reference' = i.reference AND e -> 'event' ->> 'kind' = 'information_released'
                    AND e #>> '{event,item}' = id.value AND e #>> '{event,redacted,item}' IS NULL)) IS NOT TRUE) THEN
        RETURN 'a release that is not its owner''s, or that no event says';
    END IF;
    IF json_array_length(doc.parties) > 0 THEN
        states := (SELECT json_object_agg(n ->> 'reference', n ->> 'state') FROM (
            SELECT * FROM json_array_elements(doc.changed)
            UNION ALL SELECT * FROM json_array_elements(doc.begun)) stands (n));
        asked := ARRAY(SELECT s.key || ' ' || json_object_keys(CAST(s.value AS json) -> 'checks') FROM json_each_text(states) s);
    END IF;
    IF json_array_length(doc.parties) > 0 AND EXISTS (
            SELECT FROM json_to_recordset(doc.parties) AS p (
                reference text, party text, hub text, person text, until timestamptz)
            WHERE (p.hub = my_hub AND CASE
                WHEN p.person = '' THEN p.until IS NULL AND (
                    p.reference || ' ' || p.party = ANY (asked) OR takes_part(CAST(states ->> p.reference AS jsonb), p.party))
                ELSE p.person = my_id AND p.party = my_agency AND EXISTS (
                    SELECT FROM unnest(events) e
                    WHERE e ->> 'reference' = p.reference AND e -> 'event' ->> 'kind' = 'glass_broken'
                        AND e #>> '{event,agency}' = p.party AND CAST(e #>> '{event,until}' AS timestamptz) = p.until)
                END) IS NOT TRUE) THEN
        RETURN 'somebody who has no part in the case';
    END IF;
    IF (json_array_length(doc.notices) > 0 OR json_array_length(doc.over) > 0) AND EXISTS (
            SELECT FROM (SELECT * FROM json_array_elements(doc.notices)
                UNION ALL SELECT * FROM json_array_elements(doc.over)) q (n)
            WHERE (n ->> 'hub' = my_hub AND heads ? (n ->> 'reference') AND n ->> 'kind' <> 'system' AND n ->> 'status' = 'queued'
                AND n ->> 'tries' = '0' AND n ->> 'person' IS NULL) IS NOT TRUE) THEN
        RETURN 'a notice of a case to which nothing has happened';
    END IF;
    RETURN NULL;
END $$
"""

# As `states.firewall.taking_part` has it, of the state that is about to be written, whoever is asked apart. The hub's rules are
# read last: they are long.
TAKES_PART = """
CREATE FUNCTION takes_part(state jsonb, party text) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    rules jsonb;
BEGIN
    IF EXISTS (SELECT FROM jsonb_each(state -> 'held') h WHERE h.value ->> 'agency' = party)
            OR (party = 'adult_social_worker' AND EXISTS (
                SELECT FROM jsonb_each(state -> 'subjects') s WHERE s.value ->> 'cohort' = 'adult')) THEN
        RETURN true;
    END IF;
    rules := (SELECT CAST(document AS jsonb) FROM profile_version WHERE digest = state ->> 'profile');
    RETURN (state ->> 'meeting_at' IS NOT NULL AND coalesce(rules #> '{meeting,quorum}' ? party, true))
        OR (state ->> 'stage' = 'strategy_discussion' AND coalesce(rules #> '{strategy_discussion,quorum}' ? party, true))
        OR coalesce(rules #>> ARRAY['services', state ->> 'service', 'role'] = party, false);
END $$
"""

STANDING = "version, head_hash, state, stage, rating, is_open, finished, due_at, next_at, urgency"
QUEUED = "reference, hub, kind, role, clock, facts, created_at, status, tries, next_try_at, urgency"

# Everything at once: a round trip costs more than what is written.
WRITE = f"""
CREATE FUNCTION write_referrals(document text, signature text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    rows json := CAST(document AS json);
    wrong text;
    doc record;
BEGIN
    IF signed_here('write', document) IS DISTINCT FROM signature THEN
        RAISE insufficient_privilege USING MESSAGE = 'refused: rows that are not signed for this transaction';
    END IF;
    wrong := unfounded(rows);
    IF wrong IS NOT NULL THEN
        RAISE insufficient_privilege USING MESSAGE = 'refused: ' || wrong;
    END IF;
    SELECT * INTO doc FROM json_to_record(rows) AS parts (
        keys json, items json, released json, begun json, changed json, events json, notices json, over json, parties json,
        people json);
    WITH keys AS (
        INSERT INTO referral_key (reference, wrapped, hub, master)
        SELECT reference, wrapped, hub, master FROM json_populate_recordset(NULL::referral_key, doc.keys)),
    items AS (
        INSERT INTO personal_item SELECT * FROM json_populate_recordset(NULL::personal_item, doc.items)),
    released AS (
        UPDATE personal_item SET release_state = 'released'
        WHERE id = ANY (ARRAY(SELECT CAST(value AS uuid) FROM json_array_elements_text(doc.released)))),
    begun AS (
        INSERT INTO referral (reference, root, hub, caller, received_at, {STANDING})
        SELECT reference, root, hub, caller, received_at, {STANDING}
        FROM json_populate_recordset(NULL::referral, doc.begun)),
    changed AS (
        UPDATE referral r SET ({STANDING}) = ROW ({", ".join("n." + name for name in STANDING.split(", "))})
        FROM json_populate_recordset(NULL::referral, doc.changed) n WHERE r.reference = n.reference),
    events AS (
        INSERT INTO event SELECT * FROM json_populate_recordset(NULL::event, doc.events)),
    notices AS (
        INSERT INTO notice ({QUEUED})
        SELECT {QUEUED} FROM json_populate_recordset(NULL::notice, doc.notices)),
    parties AS (
        INSERT INTO participant (reference, party, hub, person, until, seal)
        SELECT reference, party, hub, person, until, seal
        FROM json_populate_recordset(NULL::participant, doc.parties) ON CONFLICT DO NOTHING)
    INSERT INTO known_person (reference, hub, subject, tokens, born)
    SELECT reference, hub, subject, tokens, born FROM json_populate_recordset(NULL::known_person, doc.people);
    IF json_array_length(doc.over) > 0 THEN
        PERFORM end_alerts(rows);
    END IF;
    -- Whoever saw an alert by its link is not called by further channels of theirs meanwhile: as long as its event says.
    UPDATE notice n SET step_at = GREATEST(n.step_at, CAST(s.j ->> 'until' AS timestamptz))
    FROM (SELECT e.reference, CAST(e.canonical AS json) -> 'event' AS j
        FROM json_populate_recordset(NULL::event, rows -> 'events') e WHERE e.kind = 'alert_seen') s
    WHERE n.reference = s.reference AND n.clock = s.j ->> 'id' AND n.step_at IS NOT NULL;
    PERFORM pg_notify('mash_wake', '');
END $$
"""  # noqa: S608  constants of ours

# What has not been sent yet is withdrawn, a message that waits for its next channel stops there, and whoever was alerted is told.
END_ALERTS = f"""
CREATE FUNCTION end_alerts(rows json) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH ended AS (
        SELECT * FROM json_populate_recordset(NULL::notice, rows -> 'over')),
    urgent AS (
        SELECT ARRAY(SELECT * FROM json_array_elements_text(rows -> 'urgent')) AS kinds),
    locked AS (  -- in the order in which the outbox locks them
        SELECT n.id FROM notice n JOIN ended e ON n.reference = e.reference AND n.clock = e.clock
        WHERE n.role <> 'referrer' AND n.status IN ('queued', 'delivered')
            AND (e.kind = 'all_clear' OR n.kind = ANY (SELECT unnest(kinds) FROM urgent)) AND NOT n.over
        ORDER BY n.id FOR UPDATE OF n),
    withdrawn AS (
        UPDATE notice n SET status = CASE WHEN n.delivered_at IS NULL THEN 'withdrawn' ELSE 'delivered' END,
            step_at = NULL, next_try_at = NULL, over = true, ended = CASE WHEN n.delivered_at IS NULL THEN (
                SELECT to_json(e)::text FROM ended e WHERE e.reference = n.reference AND e.clock = n.clock LIMIT 1) END
        FROM locked WHERE n.id = locked.id)
    INSERT INTO notice ({QUEUED}, person)
    SELECT DISTINCT ON (e.reference, e.clock, n.role, n.person)
        {", ".join("e." + name if name != "role" else "n.role" for name in QUEUED.split(", "))}, n.person
    FROM ended e JOIN notice n ON n.reference = e.reference AND n.clock = e.clock
    WHERE n.kind = ANY (SELECT unnest(kinds) FROM urgent) AND n.delivered_at IS NOT NULL
        AND (e.kind = 'all_clear' OR n.role <> e.role)
$$
"""  # noqa: S608  constants of ours

SPLIT = """
CREATE OR REPLACE FUNCTION items_of_split(parent text, child text) RETURNS SETOF personal_item
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT i.* FROM personal_item i
    WHERE i.reference = parent AND i.hub = (SELECT acting('hub'))
        AND EXISTS (
            SELECT FROM event e WHERE e.reference = parent AND e.kind = 'referral_split'
                AND e.canonical::json -> 'event' ->> 'reference' = child)
        AND NOT EXISTS (SELECT FROM referral r WHERE r.reference = child)
    ORDER BY i.created_at, i.id
$$
"""

GRANTS = """
REVOKE ALL ON FUNCTION signed_here, unfounded, write_referrals, end_alerts, takes_part, whoever_acts, my_parties, acting,
    this_transaction FROM PUBLIC;
GRANT EXECUTE ON FUNCTION whoever_acts, my_parties, acting, this_transaction, write_referrals TO mash_app, mash_system;
REVOKE INSERT, UPDATE ON referral, event, referral_key, personal_item, notice, participant, known_person FROM mash_app;
REVOKE UPDATE (release_state) ON personal_item FROM mash_app;
GRANT UPDATE (reference) ON referral TO mash_app;
GRANT SELECT, INSERT ON caller_key, sealing TO mash_system;
GRANT DELETE ON secret TO mash_system;
GRANT UPDATE (seal, role, agency, hub) ON session TO mash_system;
GRANT UPDATE (seal) ON api_key, participant TO mash_system;
REVOKE CREATE ON SCHEMA public FROM PUBLIC
"""

# Temporary tables are work for the disk, and a name that a query may stumble over; where the tables' owner owns the database too.
NO_TEMPORARY_TABLES = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_database WHERE datname = current_database() AND pg_has_role(datdba, 'USAGE')) THEN
        EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    END IF;
END $$
"""


def upgrade() -> None:
    """Make the functions, have the policies ask them, and take from the application's role what they do for it."""
    for statement in TABLES.split(";"):
        op.execute(statement)
    for function in IDENTITY.split(";\n\n"):
        op.execute(function)
    for statement in POLICIES.split(";"):
        op.execute(statement)
    for statement in (TAKES_PART, UNFOUNDED, END_ALERTS, WRITE, SPLIT, NO_TEMPORARY_TABLES, *GRANTS.split(";")):
        op.execute(statement)


def downgrade() -> None:
    """There is no way back: what was shut stays shut."""
    raise NotImplementedError("restore a backup that was made before the upgrade")
