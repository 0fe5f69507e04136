#!/bin/sh
#  ticks.sh [ENDPOINT [INTERVAL]] - feeds ticks.zpl with prices that nobody pays, a tick at a time
#
#  A tick is a line, SYMBOL NUMBER VALUE. weft pub sets the pace, and so awk waits for it. To see a page tell of a gap,
#  end weft up and begin it again: what is published meanwhile is lost, and the numbers say how much.

weft=${WEFT:-weft}
publish=${1:-tcp://127.0.0.1:8001}
interval=${2:-20ms}

awk 'BEGIN {
    srand ()
    count = split ("EUR/USD 1.0842 GBP/USD 1.2710 USD/JPY 149.62 XAU/USD 2044.5 BTC/USD 43120 OIL 78.40", words)
    for (i = 0; i < count / 2; i++) {
        symbol[i] = words[2 * i + 1]
        value[i] = words[2 * i + 2]
    }
    for (;;) {
        i = int (rand () * count / 2)
        value[i] *= 1 + (rand () + rand () + rand () - 1.5) / 2000
        printf "%s %d %.*f\n", symbol[i], ++number[i], value[i] < 10 ? 5 : value[i] < 1000 ? 3 : 2, value[i]
        fflush ()
    }
}' | "$weft" pub -c "$publish" --interval "$interval" &
pub=$!
trap 'kill $pub 2> /dev/null' EXIT
trap 'exit 130' INT TERM
wait $pub
