#!/usr/bin/env bash
# Run once by the PostgreSQL image in an empty volume: the three roles and the database.
set -euo pipefail

psql --set=ON_ERROR_STOP=1 --username=postgres --dbname=template1 \
  --set=owner="$VPP_OWNER_PASSWORD" --set=app="$VPP_APP_PASSWORD" \
  --set=system="$VPP_SYSTEM_PASSWORD" <<'SQL'
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gin;
CREATE ROLE vpp_owner LOGIN CREATEDB PASSWORD :'owner';
CREATE ROLE vpp_app LOGIN PASSWORD :'app';
CREATE ROLE vpp_system LOGIN BYPASSRLS PASSWORD :'system';
GRANT vpp_app TO vpp_system;
CREATE DATABASE vpp OWNER vpp_owner;
\connect vpp
ALTER SCHEMA public OWNER TO vpp_owner;
SQL
