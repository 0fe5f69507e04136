/*  pool_peer.c - who takes part in a pool, and how they are spoken to */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "core/security.h"
#include "patterns/pool.h"

void
pool_wire_options (struct wire_options *options, int64_t linger)
{
    wire_options_init (options);
    options->linger = linger;
    options->max_size = POOL_MESSAGE_MAX;
    options->reconnect_max = 2 * TIME_S;
    options->mandatory = true;
    options->handover = true;
}

int
pool_open_wire (weft_t *weft, enum wire_type type, const struct security_config *security, const char *peers,
                struct wire_options *options, struct wire **wire)
{
    int rc = security_load (security, peers, options);
    rc = rc ? rc : context_open (weft, type, options, wire);
    security_unload (options);
    return rc;
}

void
pool_identity (char *identity, size_t size, uint64_t instance)
{
    snprintf (identity, size, "weft-%016" PRIx64, instance);
}

static int
send_to (struct wire *wire, const struct pool_bytes *route, struct buffer *body)
{
    weft_msg_t msg;
    weft_msg_init (&msg);
    int rc = route ? weft_msg_add (&msg, route->data, route->size) : 0;
    rc = rc ? rc : weft_msg_add (&msg, buffer_data (body), buffer_size (body));
    rc = rc ? rc : wire_send (wire, &msg, 0);
    weft_msg_clear (&msg);
    buffer_clear (body);
    return rc;
}

int
pool_send (struct wire *wire, struct pool_peer *peer, struct buffer *body, int64_t now)
{
    int rc = send_to (wire, peer ? &peer->route : NULL, body);
    if (rc == 0 && peer)
        peer->sent = now;
    return rc;
}

void
pool_answer (struct wire *wire, struct pool_bytes route, struct buffer *body)
{
    send_to (wire, &route, body);       /*  who cannot be reached has gone */
}

int
pool_receive (const weft_msg_t *msg, struct pool_bytes *route, struct pool_message *message)
{
    *route = (struct pool_bytes) { weft_msg_data (msg, 0), weft_msg_size (msg, 0) };
    if (weft_msg_frames (msg) != 2)
        return error_set (WEFT_EPROTO, "not a pool message: it has %zu frames", weft_msg_frames (msg) - 1);
    return pool_decode (message, weft_msg_data (msg, 1), weft_msg_size (msg, 1));
}

static char *
copy_text (struct pool_bytes bytes)
{
    return strndup (bytes.data, bytes.size);
}

int
pool_peers_init (struct pool_peers *self)
{
    int rc = map_init (&self->routes);
    if (rc == 0 && (rc = map_init (&self->names)))
        map_free (&self->routes);
    return rc;
}

void
pool_peers_free (struct pool_peers *self)
{
    map_free (&self->routes);
    map_free (&self->names);
}

static struct pool_peer *
find_name (const struct pool_peers *peers, const char *name)
{
    struct map_node *node = map_first (&peers->names, hash_bytes (name, strlen (name)));
    for (; node; node = map_next (node))
        if (strcmp (map_entry (node, struct pool_peer, named)->name, name) == 0)
            return map_entry (node, struct pool_peer, named);
    return NULL;
}

/*  The name that was given, with a number behind it when another has it already. The one who has it counts, so
 *  that thousands of one name are not tried again for each. */
static char *
unique_name (const struct pool_peers *peers, struct pool_bytes wanted)
{
    char *name = copy_text (wanted);
    struct pool_peer *first = name ? find_name (peers, name) : NULL;
    if (first && !first->namesakes)
        first->namesakes = 1;
    while (first && name && find_name (peers, name)) {
        free (name);
        if (asprintf (&name, "%.*s#%u", (int) wanted.size, wanted.data, ++first->namesakes) < 0)
            name = NULL;
    }
    return name;
}

int
pool_peer_init (struct pool_peer *self, struct pool_peers *peers, struct pool_bytes route,
                const struct pool_hello *hello, int64_t now)
{
    char *copy = malloc (route.size + 1);
    self->name = unique_name (peers, hello->name);
    self->host = copy_text (hello->host);
    if (!copy || !self->name || !self->host) {
        free (copy);
        free (self->name);
        free (self->host);
        return error_plain (WEFT_ENOMEM);
    }
    memcpy (copy, route.data, route.size);
    self->route = (struct pool_bytes) { copy, route.size };
    self->instance = hello->instance;
    self->session = hello->session;
    self->heartbeat = hello->heartbeat * TIME_MS;
    self->heard = self->sent = now;
    self->have = self->safe = hello->next - 1;
    map_add (&peers->routes, &self->node, hash_bytes (route.data, route.size));
    map_add (&peers->names, &self->named, hash_bytes (self->name, strlen (self->name)));
    return 0;
}

void
pool_peer_remove (struct pool_peer *self, struct pool_peers *peers)
{
    map_remove (&peers->routes, &self->node);
    map_remove (&peers->names, &self->named);
}

void
pool_peer_free (struct pool_peer *self)
{
    free ((char *) (uintptr_t) self->route.data);
    free (self->name);
    free (self->host);
}

struct pool_peer *
pool_peer_find (const struct pool_peers *peers, struct pool_bytes route)
{
    struct map_node *node = map_first (&peers->routes, hash_bytes (route.data, route.size));
    for (; node; node = map_next (node)) {
        struct pool_peer *peer = map_entry (node, struct pool_peer, node);
        if (peer->route.size == route.size && memcmp (peer->route.data, route.data, route.size) == 0)
            return peer;
    }
    return NULL;
}

/*  One that has ended but was not waited for yet is gone, too. */
bool
pool_process_gone (struct pool_bytes host, int64_t pid)
{
    char here[POOL_NAME_MAX + 1] = "", path[64], state = 0;
    gethostname (here, sizeof here - 1);
    if (strlen (here) != host.size || memcmp (here, host.data, host.size) != 0 || pid < 1)
        return false;
    if (pid == getpid ())
        return true;            /*  a thread of ours, whose connection nothing can break */
    snprintf (path, sizeof path, "/proc/%" PRId64 "/stat", pid);
    FILE *file = fopen (path, "re");
    if (!file)
        return errno == ENOENT && access ("/proc/self/stat", R_OK) == 0;
    char line[256] = "";
    int found = 0;
    if (fgets (line, sizeof line, file) && strrchr (line, ')'))
        found = sscanf (strrchr (line, ')') + 1, " %c", &state);
    fclose (file);
    return found == 1 && (state == 'Z' || state == 'X');
}

bool
pool_peer_silent (const struct pool_peer *self, int64_t now)
{
    return self->heartbeat && now - self->heard > POOL_MISSED * self->heartbeat;
}

int
pool_peer_report (struct pool_peer *self, uint64_t number)
{
    if (number <= self->have)
        return WEFT_EAGAIN;
    if (number != self->have + 1)
        return error_set (WEFT_EPROTO, "report %" PRIu64 " came after %" PRIu64, number, self->have);
    self->have = number;
    return 0;
}
