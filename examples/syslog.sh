#!/bin/sh
#  syslog.sh [ADDRESS [ENDPOINT]] - syslog over UDP into the fabric, and a subscriber that wants what is serious
#
#  A line begins with <N>, where N is 8 times the facility and the severity, 0 to 7 (RFC 5424, RFC 3164). So what is
#  serious is a set of topics, and the publisher sends nothing else. To try it: logger -n 127.0.0.1 -P 5140 -d -p 3 oops

weft=${WEFT:-weft}
listen=${1:-127.0.0.1:5140}
publish=${2:-tcp://127.0.0.1:5141}

#  Errors and worse (severities 0 to 3) of all 24 facilities.
set --
for facility in $(seq 0 23); do
    for severity in 0 1 2 3; do
        set -- "$@" -t "<$((facility * 8 + severity))>"
    done
done

"$weft" bridge udp --listen "$listen" --pub "@$publish" --rate 1000 --burst 10000 &
bridge=$!
"$weft" sub ">$publish" "$@" &
sub=$!
trap 'kill $bridge $sub 2> /dev/null' EXIT
trap 'exit 130' INT TERM
wait $sub
