/*  ws.js - a WebSocket of Node's ws, driven by lines
 *
 *  node ws.js connect URL [OPTIONS]    a client
 *  node ws.js listen [OPTIONS]         a server; what it is told is for the connection that came last
 *
 *  OPTIONS are those of ws, as JSON; a client's has "protocols" besides. Writes "ready WHERE", then a line for each
 *  event: an array in JSON of its name and what belongs to it, bytes in hex. A server that has "echo" among its options
 *  sends back what comes. It reads lines:
 *
 *      text|binary HEX ...     a message, of one frame for each HEX (a dash: an empty one)
 *      ping HEX
 *      close CODE REASON       as HEX
 *      kill                    the connection ends without a Close */

'use strict'

const readline = require('node:readline')
const { WebSocket, WebSocketServer } = require('ws')

const bytes = (hex) => Buffer.from(hex === '-' ? '' : hex, 'hex')
const tell = (...words) => console.log(JSON.stringify(words))
let socket

function send (binary, parts) {
  parts.forEach((hex, index) => socket.send(bytes(hex), { binary, fin: index === parts.length - 1 }))
}

const commands = {
  text: (...parts) => send(false, parts),
  binary: (...parts) => send(true, parts),
  ping: (hex) => socket.ping(bytes(hex)),
  close: (code, reason) => socket.close(Number(code), bytes(reason)),
  kill: () => socket.terminate()
}

function watch (made, echo) {
  socket = made
  made.on('message', (data, binary) => {
    if (echo) made.send(data, { binary })
    else tell(binary ? 'binary' : 'text', data.toString('hex'))
  })
  made.on('ping', (data) => tell('ping', data.toString('hex')))
  made.on('pong', (data) => tell('pong', data.toString('hex')))
  made.on('close', (code, reason) => tell('close', code, reason.toString()))
  made.on('error', (error) => tell('error', error.message))
}

function connect (url, { protocols, ...options }) {
  const made = new WebSocket(url, protocols ?? [], { perMessageDeflate: false, ...options })
  made.on('open', () => tell('open', made.protocol, made.extensions))
  made.on('unexpected-response', (_, response) => {
    response.resume()
    tell('refused', response.statusCode)
  })
  watch(made)
  console.log('ready ' + url)
}

function listen ({ echo, protocols, ...options }) {
  const choose = protocols && ((offered) => protocols.find((name) => offered.has(name)) ?? false)
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: choose, ...options })
  server.on('connection', (made, request) => {
    watch(made, echo)
    tell('open', made.protocol, made.extensions, request.url)
  })
  server.on('listening', () => console.log('ready 127.0.0.1:' + server.address().port))
}

const [what, ...rest] = process.argv.slice(2)
if (what === 'connect') connect(rest[0], JSON.parse(rest[1] ?? '{}'))
else listen(JSON.parse(rest[0] ?? '{}'))

readline.createInterface({ input: process.stdin, crlfDelay: Infinity })
  .on('line', (line) => {
    const [command, ...words] = line.split(' ')
    commands[command](...words)
  })
  .on('close', () => process.exit())
