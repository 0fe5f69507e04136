#   What weft up runs when it is given no file. weft up --print > my.zpl is a beginning of your own; see weft.zpl(5).
#   Try it:  nc 127.0.0.1 65432

restart = never                     # whose port is taken stays away, and the others run

echo                                # answers whatever is asked
    command = rep --echo
    bind = inproc://echo

tcp                                 # bytes over TCP, back as they came
    command = bridge tcp
    listen = 127.0.0.1:65432
    framing = raw
    req = inproc://echo
