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
extern const struct adapter adapter_tcp;
#define PROTOCOL_NAMES "tcp"
#define PROTOCOL_WORDS "tcp"
#define PROTOCOL_TABLES { .title = "TCP", .indirect = &adapter_tcp.options }
#define PROTOCOL_TEXTS PROTOCOL_TCP

#define PROTOCOL_TCP                                                                                                  \
    "tcp: plain connections, each of which carries messages in both directions. --framing says where a message ends: " \
    "line (a newline), nul, len16 and len32 (a length in front, big-endian), fixed:N (N bytes each), netstring, or "  \
    "raw (whatever comes together). A client whose request has no reply within --timeout is disconnected, or gets "   \
    "--error-reply."

#endif
