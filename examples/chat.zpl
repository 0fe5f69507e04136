#   A chat for browsers, with a page of its own, and a copy of all that is said for programs.
#
#   Open http://127.0.0.1:8765/ twice.  Listen in:  weft sub tcp://127.0.0.1:8766
#   Run it:  weft up examples/chat.zpl

chat
    command = bridge ws
    listen = 127.0.0.1:8765
    relay = yes                         # to all others ...
    pub = tcp://127.0.0.1:8766          # ... and to whoever subscribes
    page = yes
    when-full = disconnect              # who does not read is cut off, and the page comes back by itself
