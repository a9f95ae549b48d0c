#!/bin/sh
# The administrator's `mash`: as the part that has what a command needs, with its settings. MASH_AS=api, worker, prefect or owner
# says another one: MASH_AS=api mash doctor api
set -eu
case "${1:-} ${2:-}" in
  "db "*|"backup "*|"restore "*) part=${MASH_AS:-owner} ;;
  *) part=${MASH_AS:-worker} ;;
esac
set -a
. {{ root }}/etc/mash/environment
. {{ root }}/etc/mash/$part.env
MASH_DATA_DIR={{ root }}/var/lib/mash/$part
set +a
cd /
case $part in {% for part, user in users.items() %}{{ part }}) user={{ user }} ;; {% endfor %}esac
exec setpriv --reuid="$user" --regid="$user" --init-groups {{ bin }}/mash "$@"
