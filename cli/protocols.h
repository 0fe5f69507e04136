/*  protocols.h - the words of weft bridge about each protocol: its own help, and its part of the man page */

#ifndef WEFT_CLI_PROTOCOLS_H
#define WEFT_CLI_PROTOCOLS_H

#include "adapters/adapter.h"
#include "cli/command.h"

struct protocol {
    const char *name, *title;           /*  of the adapter; in headings                         */
    const char *topic;                  /*  of weft help: "bridge tcp"                          */
    const char *usage;                  /*  what follows "weft bridge"                          */
    const char *text;                   /*  as a command's description                          */
    const struct command_example *examples;
};

/*  NULL: there is none of that name; its title, or its name when it has no words. */
const struct protocol *protocol_find (const char *name);
const char *protocol_title (const char *name);

/*  For the man page, which has all of them: names, options and texts. A protocol is a line in each, and in the table of
 *  protocols.c. */
extern const struct adapter adapter_tcp, adapter_udp, adapter_http, adapter_ws;
#define PROTOCOL_NAMES "tcp, udp, http, ws"
#define PROTOCOL_WORDS "tcp|udp|http|ws"
#define PROTOCOL_TABLES                                                                                               \
    { .title = "TCP", .indirect = &adapter_tcp.options, .apart = true },                                              \
        { .title = "UDP", .indirect = &adapter_udp.options, .apart = true },                                          \
        { .title = "HTTP", .indirect = &adapter_http.options, .apart = true },                                        \
        { .title = "WebSocket", .indirect = &adapter_ws.options, .apart = true }
#define PROTOCOL_TEXTS PROTOCOL_TCP "\n\n" PROTOCOL_UDP "\n\n" PROTOCOL_HTTP "\n\n" PROTOCOL_WS

#define PROTOCOL_TCP                                                                                                  \
    "tcp: plain connections, each of which carries messages in both directions. --framing says where a message ends: " \
    "line (a newline), nul, len16 and len32 (a length in front, big-endian), fixed:N (N bytes each), netstring, or "  \
    "raw (whatever comes together). A client whose request has no reply within --timeout is disconnected, or gets "   \
    "--error-reply."

#define PROTOCOL_UDP                                                                                                  \
    "udp: datagrams, each of which is a message, and may be empty. A reply goes to the very sender; a client whose "  \
    "request has no reply gets nothing, or --error-reply. What is longer than --max-size is refused, and what the "   \
    "system had no room for is lost: both are counted. Frames of a message are joined, with --separator between "     \
    "them. While the fabric is full the socket is not read.\n\n"                                                      \
    "The clients of a bridge over UDP are the addresses that it has heard, at most --max-peers, until they are "      \
    "silent for --idle; then they get nothing any more from --sub, --pull and --relay. --rate limits what each of "   \
    "them may send. Anybody can forge an address, so what comes from one proves nothing: an address that is not "     \
    "trusted gets no more than --amplify times the bytes that came from it (with 28 for the headers of each "         \
    "datagram), and nothing that it did not ask for. Trusted are this machine, whom --dial says, and the networks "   \
    "of --trust.\n\n"                                                                                                 \
    "With --rep, which goes with --dial alone, the next datagram of the server is the reply. A datagram that is "     \
    "lost or late is seen by --timeout: the reply is empty then, and what comes later reaches nobody. A multicast "   \
    "group is listened to by --listen GROUP:PORT, or by --group, and sent to by --dial GROUP:PORT."

#define PROTOCOL_HTTP                                                                                                  \
    "http: /req/PATH asks a service of --req, whatever the method; POST /push and POST /pub/TOPIC give the body to "   \
    "--push and --pub, and say 202 when the fabric has taken it; GET /sub?topic=A&topic=B is a stream of "             \
    "Server-Sent Events from --sub; what else there is are the files of --root. --mount /=req puts a service at "      \
    "the root, --mount /jobs=push a queue at /jobs.\n\n"                                                               \
    "A service gets each request as one JSON object: method, path, query, headers, peer, body (a string, or "          \
    "{\"base64\": ...}); or in other forms by --as. Its reply is a body, sent with status 200; or an object with a "   \
    "number \"status\" and any of \"headers\", \"type\" and \"body\" or \"json\"; or the frames status, headers, "     \
    "body. Without a service for --wait the answer is 503, without a reply for --timeout 504.\n\n"                     \
    "Events have ids; whoever comes back with Last-Event-ID gets what was missed and is among the last --events, "     \
    "or an event \"gap\". Those who read too slowly lose events and get a \"gap\" (--when-full drop), or are cut "     \
    "off and come back by themselves (--when-full disconnect). Pages of other origins may do nothing but look, "       \
    "unless --cors says so. On loopback clients have to call it localhost or by an address, or by a name of "          \
    "--allow-host. Who asks for a WebSocket gets one, as from weft bridge ws."

#define PROTOCOL_WS                                                                                                    \
    "ws: WebSockets, of browsers and all others. Each message of one is a message of the fabric, and the other way "   \
    "round: as text when it is UTF-8, else, or with --binary, as binary. The path of a connection says what it is "    \
    "for: /req, /push, /pub, /sub, /pull, /rep or /relay; / is all that the bridge has. /sub?topic=A&topic=B gets "    \
    "what begins with A or B, /pub?topic=A publishes to A. A server is dialled as ws://HOST:PORT/PATH, or as "         \
    "wss://HOST:PORT/PATH with --tls.\n\n"                                                                             \
    "Browsers let any page connect to anything, so a page may only when it comes from the same HOST:PORT, by an "      \
    "address or as localhost; --allow-origin names others, and --allow-host other names of ours. Who is refused is "   \
    "told why, with a status of HTTP: 400, 403 for an origin or a topic, 404 for a path, 426 for what is no "          \
    "WebSocket."

#endif
