#   A fleet of sensors that know nothing but TCP, and a pool of workers that share what they say.
#
#   A sensor connects and sends lines:   printf 'kitchen 21.5\n' | nc -N 127.0.0.1 7000
#   Which of the workers gets a reading is decided by who has time: while all are busy, sensors wait unread.
#   Run it:  weft up examples/sensors.zpl

sensors
    command = bridge tcp
    listen = 127.0.0.1:7000
    framing = line
    push = @inproc://readings           # @ binds: the workers connect
    restart = on-failure

worker-1
    command = pull
    connect = inproc://readings
    exec = 'echo "one: $(cat)"'         # a process for each reading; your own program belongs here
worker-2
    command = pull
    connect = inproc://readings
    exec = 'echo "two: $(cat)"'
