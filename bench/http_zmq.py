#!/usr/bin/python3
"""What people write today for weft bridge http --req: the standard library's server in front of pyzmq."""
import http.server
import sys
import threading
import zmq

context = zmq.Context()
mine = threading.local()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        if not hasattr(mine, "socket"):
            mine.socket = context.socket(zmq.REQ)
            mine.socket.connect(sys.argv[2])
        mine.socket.send_string(self.path)
        body = mine.socket.recv()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
