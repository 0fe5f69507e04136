#!/bin/sh
#  demo.sh - weft at work on this machine's own files, then one exchange of each pattern
#
#  Uses the program that $WEFT names, writes only to a folder of its own in $TMPDIR, and ends by
#  itself within a minute.

set -eu

WEFT=${WEFT:-weft}
FILES=${DEMO_FILES:-12000}      # at most so many
BATCH=8                         # files a job
dir=$(mktemp -d "${TMPDIR:-/tmp}/weft-demo.XXXXXX")
head='' worker='' up=''
trap 'kill $head $worker $up 2> /dev/null || true; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

bold='' dim='' plain=''
if [ -t 1 ]; then
    bold=$(printf '\033[1m') dim=$(printf '\033[2m') plain=$(printf '\033[0m')
fi

#  The commands below are shown and run as one would type them.
weft() { "$WEFT" "$@"; }
title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
say() { printf '%s%s%s\n' "$dim" "$*" "$plain"; }
typed() { printf '%s$ %s%s\n' "$bold" "$1" "$plain"; }
run() { typed "$1"; eval "$1"; }

cd "$dir"

#  Real files, whatever this machine has: not so large that one of them takes for ever.
for place in /usr/share/doc /usr/include /usr/share /usr/lib /usr/bin; do
    [ -d "$place" ] && find "$place" -xdev -type f -size -512k -readable 2>/dev/null
done | grep -v '[\\]' | awk '!seen[$0]++' | head -n "$FILES" > files
count=$(wc -l < files)

title "1. A pool of workers: SHA-256 of $count files found on this machine, $BATCH files a job"
typed "weft run -v --bar --workers 2 --joblog log -n $BATCH sha256sum < files > sums"
weft run -v --bar --workers 2 --joblog log -n "$BATCH" sha256sum < files > sums
say "The same without weft, and the two compared:"
typed "xargs -d '\\n' sha256sum < files > plain; sort sums | cmp - sorted"
xargs -d '\n' sha256sum < files > plain
sort plain > sorted
sort sums > sums.sorted
if cmp -s sums.sorted sorted; then
    echo "the same $(wc -l < sums) checksums"
else
    echo "the pool's answer is wrong: $(diff sums.sorted sorted | head -n 3)" >&2
    exit 1
fi
say "The job log has GNU parallel's columns:"
run "head -n 3 log | cut -c 1-100"

title "2. REQ/REP: ask, and get an answer"
typed "weft rep -b ipc://$dir/up --count 1 --exec 'tr a-z A-Z' &"
weft rep -q -b "ipc://$dir/up" --count 1 --exec 'tr a-z A-Z' &
run "echo 'hello, weft' | weft req -c ipc://$dir/up"
wait

title "3. PUB/SUB: publish, and those who want the topic get it"
typed "weft sub -c ipc://$dir/news -t weather. --count 2 &"
weft sub -q -c "ipc://$dir/news" -t weather. --count 2 &
run "printf 'sport.late\\nweather.rain\\nweather.sun\\n' | weft pub -q -b ipc://$dir/news --wait-subs 1"
wait

title "4. PUSH/PULL: a stream, shared by those who pull"
typed "weft pull -b ipc://$dir/pipe --until-gone | wc -l &"
weft pull -q -b "ipc://$dir/pipe" --until-gone | wc -l &
run "seq 100000 | weft push -c ipc://$dir/pipe"
wait

title "5. Keys: a server that answers whom it knows, and says why not"
export WEFT_KEYS="$dir/keys"
run "weft key new -q server > server.key; weft key new -q alice > alice.key; weft key new -q mallory > /dev/null"
run "weft key allow alice - < alice.key"
typed "weft rep --key server -b tcp://127.0.0.1:0 --count 1 --exec 'tr a-z A-Z' &"
weft rep --key server -b tcp://127.0.0.1:0 --count 1 --exec 'tr a-z A-Z' 2> rep.log &
until port=$(sed -n 's/.*listening on tcp:.*:\([0-9]*\)$/\1/p' rep.log) && [ -n "$port" ]; do sleep 0.05; done
run "echo 'let me in' | weft req -q --key mallory --server-key server tcp://127.0.0.1:$port || echo \"exit status \$?\""
run "echo 'hello, weft' | weft req --key alice --server-key server tcp://127.0.0.1:$port"
wait
say "What the server said:"
cut -c 1-180 rep.log

title "6. A pool whose head is killed in the middle, and goes on: its jobs are in a ledger"
seq 40 | sed 's/.*/sleep 0.1; echo "job &"/' > jobs.txt
typed "weft ventilator -b ipc://$dir/pool --ledger ledger jobs.txt > first &"
"$WEFT" ventilator -q -b "ipc://$dir/pool" --ledger ledger jobs.txt > first &     # not the function: to be killed
head=$!
typed "weft worker -c ipc://$dir/pool -j2 &"
"$WEFT" worker -q -c "ipc://$dir/pool" -j2 &
worker=$!
until [ -s first ] && [ "$(wc -l < first)" -ge 8 ]; do sleep 0.05; done
typed "kill -9 HEAD; weft jobs ledger summary"
kill -9 "$head"
wait "$head" 2> /dev/null || true
weft jobs ledger summary
run "weft ventilator -q -b ipc://$dir/pool --ledger ledger --resume > second"
wait "$worker"
head='' worker=''
run "weft jobs ledger summary; sort first second | uniq | wc -l"

title "7. A fabric in one process: what listens, and who answers, from one file"
say "weft up without a file is an example; weft up --print shows it."
typed "weft up &"
"$WEFT" up --any-port 2> up.log &          # not the function: to be told to end
up=$!
until grep -q '^weft up: ready$' up.log; do
    kill -0 "$up" || { cat up.log >&2; exit 1; }
    sleep 0.05
done
port() { sed -n "s/^weft up: $1: .*listening on 127.0.0.1:\([0-9]*\)$/\1/p" up.log; }
cat up.log
run "echo 'hello over TCP' | nc -N 127.0.0.1 $(port tcp)"
run "echo 'hello over UDP' | nc -u -w 1 127.0.0.1 $(port udp)"
run "curl -s 'http://127.0.0.1:$(port http)/items?id=1'"
echo
say "And a chat for browsers, at http://127.0.0.1:8765/ as soon as you type 'weft up'."
kill "$up"
wait "$up"
up=''

title "That was weft. 'weft help' lists its commands, 'weft help run' explains the pool."
