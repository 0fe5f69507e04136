/*  endpoint.c - endpoints taken apart, with a hint for each way to get one wrong
 *
 *  Nothing is looked up here: see endpoint_resolve.c. In a list a comma parts the members,
 *  so a path or a name with a comma in it can be given alone, but not in a list. */

#include "core/endpoint.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "core/error.h"

#define EXAMPLE_PORT "5555"
#define HOST_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"

static const struct {
    const char *name;
    enum endpoint_transport transport;
} transports[] = {
    { "tcp", ENDPOINT_TCP }, { "ipc", ENDPOINT_IPC }, { "inproc", ENDPOINT_INPROC }
};
#define TRANSPORTS (sizeof transports / sizeof *transports)

/* --------------------------------------------------------------------- tcp */

/*  "HOST:PORT" or "[IPv6]:PORT" in pieces; lengths, since they lie within a longer text. */
struct address {
    const char *host, *port;
    int host_length, port_length;       /*  without brackets                    */
    bool bracketed;
};

static int
split_address (const char *whole, const char *text, size_t length, struct address *self)
{
    const char *end = text + length;
    const char *close = *text == '[' ? memchr (text, ']', length) : NULL;
    const char *colon = memrchr (text, ':', length);
    self->bracketed = *text == '[';

    if (self->bracketed && !close)
        return error_set (WEFT_EENDPOINT, "%s: the bracket is not closed; write tcp://[::1]:" EXAMPLE_PORT, whole);
    if (self->bracketed && close + 1 != end && close[1] != ':')
        return error_set (WEFT_EENDPOINT, "%s: a colon and a port belong after the bracket; write tcp://[::1]:"
                          EXAMPLE_PORT, whole);
    if (!colon || (close && colon < close) || colon + 1 == end) {
        int kept = (int) (colon && colon + 1 == end ? length - 1 : length);
        return error_set (WEFT_EENDPOINT, "%s: no port; write tcp://%.*s:" EXAMPLE_PORT, whole, kept, text);
    }
    if (!close && memchr (text, ':', (size_t) (colon - text)))
        return error_set (WEFT_EENDPOINT, "%s: an IPv6 address goes in brackets; write tcp://[::1]:" EXAMPLE_PORT,
                          whole);
    self->host = text + self->bracketed;
    self->host_length = (int) ((close ? close : colon) - self->host);
    self->port = colon + 1;
    self->port_length = (int) (end - self->port);
    return 0;
}

/*  A port number, or a star for 0; -1 with the reason kept. */
static int
parse_port (const char *whole, const struct address *address)
{
    int port = 0;
    if (address->port_length == 1 && *address->port == '*')
        return 0;
    for (int i = 0; i < address->port_length; i++) {
        if (address->port[i] < '0' || address->port[i] > '9') {
            error_set (WEFT_EENDPOINT, "%s: \"%.*s\" is not a port; write a number from 1 to 65535, or * to bind to "
                       "any free one", whole, address->port_length, address->port);
            return -1;
        }
        port = port * 10 + (address->port[i] - '0');
        if (port > 65535) {
            error_set (WEFT_EENDPOINT, "%s: port %.*s is past 65535, the highest there is", whole,
                       address->port_length, address->port);
            return -1;
        }
    }
    return port;
}

/*  `text` is the address between the brackets, perhaps with a scope. */
static int
check_ipv6 (const char *whole, const char *text)
{
    struct in6_addr address;
    char plain[INET6_ADDRSTRLEN];
    size_t length = strcspn (text, "%");
    bool scope_ok = !text[length] || (text[length + 1] && !strchr (text + length + 1, '%'));
    if (length < sizeof plain && scope_ok) {
        memcpy (plain, text, length);
        plain[length] = '\0';
        if (inet_pton (AF_INET6, plain, &address) == 1)
            return 0;
    }
    return error_set (WEFT_EENDPOINT, "%s: \"%s\" is not an IPv6 address; those in brackets look like [::1] or "
                      "[fe80::1%%eth0]", whole, text);
}

static int
check_host (const char *whole, const char *host)
{
    struct in_addr address;
    size_t good = strspn (host, HOST_CHARACTERS);
    if (!*host)
        return error_set (WEFT_EENDPOINT, "%s: no host; write tcp://127.0.0.1:PORT for this machine alone, or "
                          "tcp://*:PORT to bind to every interface", whole);
    if (strcmp (host, "*") == 0)
        return 0;
    if (host[good] == '/')
        return error_set (WEFT_EENDPOINT, "%s: a path has no place in a tcp endpoint; write tcp://HOST:PORT", whole);
    if (host[good])
        return error_set (WEFT_EENDPOINT, "%s: '%c' is not allowed in a host's name", whole, host[good]);
    /*  Resolvers read "127.1" or "0177.0.0.1" in ways that nobody means. */
    if (!host[strspn (host, "0123456789.")] && inet_pton (AF_INET, host, &address) != 1)
        return error_set (WEFT_EENDPOINT, "%s: \"%s\" is not an IPv4 address; those are four numbers from 0 to 255",
                          whole, host);
    return 0;
}

static int
copy_host (const char *whole, const struct address *address, char *host, size_t size)
{
    if ((size_t) address->host_length >= size)
        return error_set (WEFT_EENDPOINT, "%.64s...: the host's name is longer than %zu bytes", whole, size - 1);
    memcpy (host, address->host, (size_t) address->host_length);
    host[address->host_length] = '\0';
    return address->bracketed ? check_ipv6 (whole, host) : check_host (whole, host);
}

static bool
is_any (const char *host)
{
    struct in6_addr address;
    return strcmp (host, "*") == 0 || strcmp (host, "0.0.0.0") == 0
           || (inet_pton (AF_INET6, host, &address) == 1 && IN6_IS_ADDR_UNSPECIFIED (&address));
}

static int
check_side (const struct endpoint *self)
{
    if (self->side == ENDPOINT_CONNECT && is_any (self->host))
        return error_set (WEFT_EENDPOINT, "%s: that is an address to bind to; to connect write the peer's, such as "
                          "tcp://127.0.0.1:" EXAMPLE_PORT, self->text);
    if (self->side == ENDPOINT_CONNECT && !self->port)
        return error_set (WEFT_EENDPOINT, "%s: any free port is for bind; to connect write the port that the peer is "
                          "bound to", self->text);
    return 0;
}

/*  The part in front of a semicolon: where a connection comes from. */
static int
parse_source (struct endpoint *self, const char *text, size_t length)
{
    struct address address;
    char host[sizeof self->host];
    if (self->side == ENDPOINT_BIND)
        return error_set (WEFT_EENDPOINT, "%s: a source address (before the semicolon) is for connect", self->text);
    if (!length || length >= sizeof self->source)
        return error_set (WEFT_EENDPOINT, "%.64s: the source address before the semicolon is %s", self->text,
                          length ? "too long" : "empty");
    int rc = split_address (self->text, text, length, &address);
    if (!rc)
        rc = copy_host (self->text, &address, host, sizeof host);
    if (rc)
        return rc;
    if (parse_port (self->text, &address) < 0)
        return WEFT_EENDPOINT;
    memcpy (self->source, text, length);
    return 0;
}

static int
parse_tcp (struct endpoint *self, const char *text)
{
    struct address address;
    const char *semicolon = strrchr (text, ';');
    int rc = 0;
    if (semicolon) {
        rc = parse_source (self, text, (size_t) (semicolon - text));
        text = semicolon + 1;
    }
    if (!rc && !*text)
        rc = error_set (WEFT_EENDPOINT, "%s: no host and port; write tcp://127.0.0.1:" EXAMPLE_PORT, self->text);
    if (!rc)
        rc = split_address (self->text, text, strlen (text), &address);
    if (!rc)
        rc = copy_host (self->text, &address, self->host, sizeof self->host);
    if (rc)
        return rc;
    self->ipv6 = address.bracketed;
    self->port = parse_port (self->text, &address);
    return self->port < 0 ? WEFT_EENDPOINT : check_side (self);
}

/* -------------------------------------------------------------- ipc, inproc */

static int
parse_ipc (struct endpoint *self, const char *path)
{
    size_t longest = sizeof ((struct sockaddr_un *) 0)->sun_path - 1;
    if (!*path)
        return error_set (WEFT_EENDPOINT, "%s: no path; write ipc:///tmp/NAME, or ipc://@NAME", self->text);
    if (strcmp (path, "@") == 0)
        return error_set (WEFT_EENDPOINT, "%s: no name after the @; write ipc://@NAME", self->text);
    if (strcmp (path, "*") == 0 && self->side == ENDPOINT_CONNECT)
        return error_set (WEFT_EENDPOINT, "%s: a path of the system's choice is for bind; to connect write the path "
                          "that the peer is bound to", self->text);
    if (strlen (path) > longest)
        return error_set (WEFT_EENDPOINT, "%s: the path is %zu bytes long, and the system allows %zu", self->text,
                          strlen (path), longest);
    memcpy (self->path, path, strlen (path) + 1);
    return 0;
}

static int
parse_inproc (struct endpoint *self, const char *name)
{
    if (!*name)
        return error_set (WEFT_EENDPOINT, "%s: no name; write inproc://NAME", self->text);
    memcpy (self->path, name, strlen (name) + 1);
    return 0;
}

/* --------------------------------------------------------------- transport */

static int
no_transport (const char *text)
{
    for (size_t i = 0; i < TRANSPORTS; i++) {
        size_t length = strlen (transports[i].name);
        if (strncasecmp (text, transports[i].name, length) != 0)
            continue;
        if (strncmp (text + length, "//", 2) == 0)
            return error_set (WEFT_EENDPOINT, "%s: write %s:%s", text, transports[i].name, text + length);
        if (text[length] == ':') {
            const char *rest = text + length + 1;
            return error_set (WEFT_EENDPOINT, "%s: write %s://%s", text, transports[i].name,
                              rest + (*rest == '/' && transports[i].transport != ENDPOINT_IPC));
        }
    }
    if (*text == '/' || *text == '.')
        return error_set (WEFT_EENDPOINT, "%s: no transport; write ipc://%s", text, text);
    if (strchr (text, ':'))
        return error_set (WEFT_EENDPOINT, "%s: no transport; write tcp://%s", text, text);
    return error_set (WEFT_EENDPOINT, "%s: not an endpoint; write tcp://HOST:PORT, ipc://PATH or inproc://NAME", text);
}

static int
unknown_transport (const char *text, size_t length)
{
    if (*text == '@' || *text == '>')
        return error_set (WEFT_EENDPOINT, "%s: the prefix %c says how to attach a member of a list; here write it "
                          "without", text, *text);
    for (size_t i = 0; i < TRANSPORTS; i++)
        if (strlen (transports[i].name) == length && strncasecmp (text, transports[i].name, length) == 0)
            return error_set (WEFT_EENDPOINT, "%s: transports are in lower case; write %s%s", text, transports[i].name,
                              text + length);
    return error_set (WEFT_EENDPOINT, "%s: the transport \"%.*s\" is not known; those that are: tcp, ipc, inproc", text,
                      (int) length, text);
}

/*  What would spoil a message, a log or a terminal before anybody looks at it. */
static int
check_text (const char *text)
{
    size_t length = strlen (text);
    if (!length)
        return error_set (WEFT_EENDPOINT, "an empty endpoint; write tcp://HOST:PORT, ipc://PATH or inproc://NAME");
    if (length >= ENDPOINT_MAX)
        return error_set (WEFT_EENDPOINT, "%.64s...: an endpoint of %zu bytes; %d are allowed", text, length,
                          ENDPOINT_MAX - 1);
    for (size_t i = 0; i < length; i++)
        if ((unsigned char) text[i] < ' ' || text[i] == 127)
            return error_set (WEFT_EENDPOINT, "an endpoint with a control character (0x%02x) at byte %zu",
                              (unsigned) text[i], i + 1);
    return 0;
}

int
endpoint_parse (struct endpoint *self, const char *text, enum endpoint_side side)
{
    memset (self, 0, sizeof *self);
    self->side = side;
    int rc = check_text (text ? text : "");
    if (rc)
        return rc;
    memcpy (self->text, text, strlen (text) + 1);

    const char *mark = strstr (text, "://");
    if (!mark)
        return no_transport (text);
    size_t length = (size_t) (mark - text);
    for (size_t i = 0; i < TRANSPORTS; i++) {
        if (strlen (transports[i].name) != length || strncmp (text, transports[i].name, length) != 0)
            continue;
        self->transport = transports[i].transport;
        switch (self->transport) {
        case ENDPOINT_TCP:
            return parse_tcp (self, mark + 3);
        case ENDPOINT_IPC:
            return parse_ipc (self, mark + 3);
        case ENDPOINT_INPROC:
            return parse_inproc (self, mark + 3);
        }
    }
    return unknown_transport (text, length);
}

/* ------------------------------------------------------------------- lists */

int
endpoint_next (const char **list, enum endpoint_side standard, struct endpoint *self)
{
    char member[ENDPOINT_MAX];
    const char *text = *list + strspn (*list, " ");
    if (!*text)
        return 0;
    size_t length = strcspn (text, ",");
    const char *next = text + length;
    while (length && text[length - 1] == ' ')
        length--;
    if (!length)
        return error_set (WEFT_EENDPOINT, "a list of endpoints has an empty member; remove a comma");

    enum endpoint_side side = *text == '@' ? ENDPOINT_BIND : *text == '>' ? ENDPOINT_CONNECT : standard;
    if (*text == '@' || *text == '>') {
        text++;
        length--;
    }
    if (length >= sizeof member)
        return error_set (WEFT_EENDPOINT, "%.64s...: an endpoint of %zu bytes; %d are allowed", text, length,
                          ENDPOINT_MAX - 1);
    memcpy (member, text, length);
    member[length] = '\0';
    int rc = endpoint_parse (self, member, side);
    if (rc)
        return rc;
    /*  A comma with nothing after it stays, so that the next call finds the empty member. */
    *list = *next == ',' && next[1 + strspn (next + 1, " ")] ? next + 1 : next;
    return 1;
}
