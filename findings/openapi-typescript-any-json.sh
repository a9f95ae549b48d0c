#!/usr/bin/env bash
# openapi-typescript 7.13.0 makes types that TypeScript refuses (TS2502: "is referenced directly or indirectly in its own type
# annotation") of the usual way to say "any JSON value" in OpenAPI 3.1: a schema that is null, a boolean, a number, a string, a list of
# itself, or an object of itself. It says nothing and ends with 0; TypeScript refuses the file, or, with skipLibCheck, takes the type for
# `any` without a word. An object whose values are the same kind of object, beside it, is made rightly: it is the choice (anyOf)
# that breaks. JSON values in TypeScript can be written (`type Json = ... | Json[] | { [key: string]: Json }`): not as a property
# that names itself through the interface it stands in.
#
# Shown with one schema, compiled by TypeScript 5.9.3. Exit 1 when this has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{"private": true}' >package.json
npm install --silent --no-audit --no-fund openapi-typescript@7.13.0 typescript@5.9.3 >/dev/null
cat >api.json <<'JSON'
{"openapi": "3.1.0", "info": {"title": "any JSON", "version": "1"}, "paths": {},
 "components": {"schemas": {
   "Json": {"anyOf": [{"type": ["null", "boolean", "number", "string"]},
                      {"type": "array", "items": {"$ref": "#/components/schemas/Json"}},
                      {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Json"}}]},
   "Tree": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Tree"}}}}}
JSON
made=0
npx openapi-typescript api.json --output api.d.ts >/dev/null 2>&1 || made=$?
echo "$(npm ls --depth=0 2>/dev/null | grep -o "openapi-typescript@.*") made the types, and ended with $made"
npx tsc --strict --noEmit api.d.ts >out || true
echo "TypeScript $(npx tsc --version | cut -d' ' -f2): $(cat out)"
[ "$made" -eq 0 ] && [ "$(grep -c TS2502 out)" -eq 1 ] && grep -q "'Json'" out
