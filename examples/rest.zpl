#   A service that knows nothing of HTTP, twice, behind one address.
#
#   A request comes to it as a JSON object, and what it writes is the answer: see items.sh.
#       curl -i http://127.0.0.1:8000/items/1
#       curl -i -d '{"name":"chair"}' http://127.0.0.1:8000/items
#   Run it:  weft up examples/rest.zpl      Change it, and  kill -HUP  it: clients stay connected.

web
    command = bridge http
    listen = 127.0.0.1:8000
    req = inproc://requests
    mount = /=req
    timeout = 5s                        # then 504

queue                                   # gives each request to a service that has time
    command = proxy queue
    front = inproc://requests
    back = inproc://services

service-1
    command = rep
    connect = inproc://services
    exec = examples/items.sh
service-2
    command = rep
    connect = inproc://services
    exec = examples/items.sh
