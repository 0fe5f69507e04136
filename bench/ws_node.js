/*  ws_node.js - what people write today with Node's ws
 *
 *      node ws_node.js relay PORT              what a client sends goes to all others, as the README of ws has it
 *      node ws_node.js push PORT ENDPOINT      what clients send is pushed there, by zeromq.js */

'use strict'

const { WebSocket, WebSocketServer } = require('ws')

const [what, port, endpoint] = process.argv.slice(2)
const server = new WebSocketServer({ host: '127.0.0.1', port: Number(port) })

function relay (from, data, binary) {
  for (const client of server.clients) {
    if (client !== from && client.readyState === WebSocket.OPEN) client.send(data, { binary })
  }
}

/*  One send at a time, as zeromq.js wants it; clients are not read while too many messages wait. */
function pusher () {
  const zmq = require('zeromq')
  const socket = new zmq.Push()
  const waiting = []
  let sending = false

  socket.connect(endpoint)
  return async (from, data) => {
    waiting.push(data)
    if (waiting.length > 10000) from.pause()
    if (sending) return
    sending = true
    for (let at = 0; waiting.length > 0; at = 0) {
      while (at < waiting.length) await socket.send(waiting[at++])
      waiting.length = 0
      for (const client of server.clients) client.resume()
    }
    sending = false
  }
}

const take = what === 'push' ? pusher() : relay
server.on('connection', socket => {
  socket.on('error', () => {})
  socket.on('message', (data, binary) => take(socket, data, binary))
})
