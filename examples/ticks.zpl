#   Live ticks to a browser: what is published at 8001 moves on a page, http://127.0.0.1:8000/
#
#   A tick is a line, SYMBOL NUMBER VALUE. Numbers without a hole show on the page that nothing was lost.
#   Run it:  weft up examples/ticks.zpl       Feed it:  examples/ticks.sh      Some of it: http://127.0.0.1:8000/?topic=EUR

ticks
    command = bridge http
    listen = 127.0.0.1:8000
    root = examples/ticks               # the page, as seen from where weft up was started
    sub = @tcp://127.0.0.1:8001         # @ binds: whoever has ticks connects
    when-full = drop                    # a page that is too slow loses the oldest, and says so
