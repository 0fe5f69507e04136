#   What weft up runs when it is given no file. weft up --print > my.zpl is a beginning of your own; see weft.zpl(5).
#   Try it:
#       nc 127.0.0.1 65432                          whatever you type comes back
#       nc -u 127.0.0.1 65432                       the same by datagrams
#       curl http://127.0.0.1:8000/any?thing=1      what a service gets of an HTTP request
#       a browser at http://127.0.0.1:8765/         a chat: open it twice

restart = never                     # whose port is taken stays away, and the others run

echo                                # answers whatever is asked
    command = rep --echo
    bind = inproc://echo

tcp                                 # bytes over TCP, back as they came
    command = bridge tcp
    listen = 127.0.0.1:65432
    framing = raw
    req = inproc://echo

udp                                 # datagrams, each with its answer
    command = bridge udp
    listen = 127.0.0.1:65432
    req = inproc://echo

http                                # requests as JSON objects, for a service that knows nothing of HTTP
    command = bridge http
    listen = 127.0.0.1:8000
    req = inproc://echo
    mount = /=req

chat                                # WebSockets: each message goes to all others
    command = bridge ws
    listen = 127.0.0.1:8765
    relay = yes
    page = yes
