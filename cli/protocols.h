/*  protocols.h - the words of weft bridge about each protocol: its own help, and its part of the man page */

#ifndef WEFT_CLI_PROTOCOLS_H
#define WEFT_CLI_PROTOCOLS_H

#include "adapters/adapter.h"
#include "cli/command.h"

struct protocol {
    const char *name, *title;           /*  of the adapter; in headings                         */
    const char *usage;                  /*  what follows "weft bridge"                          */
    const char *text;                   /*  as a command's description                          */
    const struct command_example *examples;
};

/*  NULL: there is none of that name; its title, or its name when it has no words. */
const struct protocol *protocol_find (const char *name);
const char *protocol_title (const char *name);

/*  For the man page, which has all of them: names, options and texts. A protocol is a line in each, and in the table of
 *  protocols.c. */
extern const struct adapter adapter_tcp, adapter_udp;
#define PROTOCOL_NAMES "tcp, udp"
#define PROTOCOL_WORDS "tcp|udp"
#define PROTOCOL_TABLES                                                                                               \
    { .title = "TCP", .indirect = &adapter_tcp.options, .apart = true },                                              \
        { .title = "UDP", .indirect = &adapter_udp.options, .apart = true }
#define PROTOCOL_TEXTS PROTOCOL_TCP "\n\n" PROTOCOL_UDP

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

#endif
