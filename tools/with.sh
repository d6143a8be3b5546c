#!/bin/sh
# tools/with.sh command ...: run it in the top folder with build/lib on R's library path.
. "$(dirname "$0")/env.sh"
exec "$@"
