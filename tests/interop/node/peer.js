/*  peer.js - a socket of zeromq.js, driven by lines
 *
 *  node peer.js KIND bind|connect ENDPOINT [TOPIC ...]
 *
 *  Writes "ready ENDPOINT", then each message that it receives; sends each that it reads, and ends
 *  with its input. A message is a line, its frames in hex and parted by spaces, an empty one a dash.
 *  With PEER_SECRET_KEY (and PEER_PUBLIC_KEY) in the environment it speaks CURVE: to PEER_SERVER_KEY, or as a server.
 *  czmq_peer.c speaks the same. */

'use strict'

const readline = require('node:readline')
const zmq = require('zeromq')

const KINDS = {
  req: zmq.Request,
  rep: zmq.Reply,
  dealer: zmq.Dealer,
  router: zmq.Router,
  pub: zmq.Publisher,
  sub: zmq.Subscriber,
  xpub: zmq.XPublisher,
  xsub: zmq.XSubscriber,
  push: zmq.Push,
  pull: zmq.Pull
}

const write = (frames) => frames.map((frame) => frame.toString('hex') || '-').join(' ') + '\n'
const read = (line) => line.split(' ').map((frame) => Buffer.from(frame === '-' ? '' : frame, 'hex'))

function keys ({ PEER_PUBLIC_KEY, PEER_SECRET_KEY, PEER_SERVER_KEY }) {
  if (!PEER_SECRET_KEY) return {}
  if (!PEER_SERVER_KEY) return { curveServer: true, curveSecretKey: PEER_SECRET_KEY }
  return { curvePublicKey: PEER_PUBLIC_KEY, curveSecretKey: PEER_SECRET_KEY, curveServerKey: PEER_SERVER_KEY }
}

async function receive (socket) {
  for await (const frames of socket) process.stdout.write(write(frames))
}

async function main (kind, side, endpoint, topics) {
  const socket = new KINDS[kind]({ linger: 10000, ...keys(process.env) })
  if (side === 'bind') await socket.bind(endpoint)
  else socket.connect(endpoint)
  for (const topic of topics) socket.subscribe(topic)
  process.stdout.write(`ready ${socket.lastEndpoint}\n`)
  if (kind !== 'pub' && kind !== 'push') receive(socket)
  for await (const line of readline.createInterface({ input: process.stdin })) await socket.send(read(line))
  socket.close()
}

const [kind, side, endpoint, ...topics] = process.argv.slice(2)
main(kind, side, endpoint, topics).catch((error) => {
  console.error(error)
  process.exit(1)
})
