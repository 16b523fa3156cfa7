#!/usr/bin/env bash
# Makes sure that the programs are there which the tests talk to: Prometheus, Alertmanager with amtool, netdata's script
# that sends its alarms, khal, Chromium, wrk.
# On Debian as root it installs what is missing; elsewhere it says in one line how. A missing peer fails, it never skips.
# usage: tools/setup-peers.sh [PACKAGE…]     packages that only some tests need, such as postgresql-15
set -euo pipefail

missing=()
has() { command -v "$1" >/dev/null 2>&1; }
has prometheus || missing+=(prometheus)
# Debian names the server prometheus-alertmanager and keeps the name of its client.
{ has prometheus-alertmanager && has amtool; } || missing+=(prometheus-alertmanager)
# Of netdata, the script that notifies is enough.
[ -x /usr/lib/netdata/plugins.d/alarm-notify.sh ] || [ -x /usr/libexec/netdata/plugins.d/alarm-notify.sh ] || missing+=(netdata-plugins-bash)
has curl || missing+=(curl)
has khal || missing+=(khal)
has chromium || missing+=(chromium)
has fc-list && fc-list | grep -qi inter && fc-list | grep -qi "color emoji" || missing+=(fontconfig fonts-inter fonts-noto-color-emoji)
has wrk || missing+=(wrk)
for package in "$@"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q "ok installed" || missing+=("$package")
done

if [ ${#missing[@]} -eq 0 ]; then
  exit 0
fi

if [ "$(id -u)" != 0 ] || ! has apt-get; then
  echo "The tests need ${missing[*]}. On Debian or Ubuntu: sudo apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi

echo "Installing ${missing[*]} …"
# The packages would start their servers on the usual ports; the tests start their own. 101 means "not allowed" to dpkg.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  trap 'rm -f $policy' EXIT
  printf '#!/bin/sh\nexit 101\n' > $policy
  chmod +x $policy
fi
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
if ! { apt-get update -qq && apt-get install -qq -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 </dev/null; then
  tail -n 20 "$log" >&2
  echo "Installing ${missing[*]} failed; the full log is in $log" >&2
  exit 1
fi
rm -f "$log"
