#!/bin/sh
# Sends events, one JSON object a line on standard input, to Kehu with curl. Tried again after 429, 5xx and lost
# connections; give each event a message_id, so that it counts once.
#
#   KEHU_URL=https://kehu.example.com KEHU_WRITE_KEY=… ./kehu.sh < events.ndjson
exec curl --silent --show-error --fail --retry 8 --retry-connrefused --max-time 300 \
  --user "$KEHU_WRITE_KEY:" --header "Content-Type: application/x-ndjson" \
  --data-binary @- "${KEHU_URL%/}/api/v1/events"
