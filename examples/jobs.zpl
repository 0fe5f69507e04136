#   A pool of workers in one process: jobs from a list, results in one place.
#
#   Workers elsewhere may join: give `head` a second  bind = tcp://...  with keys, see weft-security(7).
#   Run it:  weft up examples/jobs.zpl      It ends when all jobs are done.

head
    command = ventilator 'echo {} squared is $(({} * {}))' ::: 1 2 3 4 5 6 7 8
    bind = inproc://jobs
    sink = inproc://results

worker-1
    command = worker
    connect = inproc://jobs
    slots = 2
worker-2
    command = worker
    connect = inproc://jobs
    slots = 2

results
    command = sink
    bind = inproc://results
    stdout = -
