-- Roles and databases, once, as PostgreSQL's superuser. No role has a password: each part comes by the socket, and pg_ident.conf says
-- which of the machine's users may be which role.
CREATE ROLE mash_owner LOGIN;
CREATE ROLE mash_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
CREATE ROLE mash_system LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
CREATE ROLE mash_prefect LOGIN;
CREATE DATABASE mash OWNER mash_owner TEMPLATE template0 ENCODING 'UTF8';
CREATE DATABASE prefect OWNER mash_prefect TEMPLATE template0 ENCODING 'UTF8';
REVOKE ALL ON DATABASE mash, prefect FROM PUBLIC;
GRANT CONNECT ON DATABASE mash TO mash_app, mash_system;
\connect mash
-- What every role may do by default, and none of ours needs: large objects, locks by number, ending others' connections.{{ not_for_everybody }};
{{ limits.strip() }};
\connect prefect
CREATE EXTENSION IF NOT EXISTS pg_trgm;
