/*  fabric_check.c - whether each part of a fabric could run, and all of them together */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/fabric_parts.h"
#include "cli/trial.h"
#include "core/error.h"

/* ---------------------------------------------------------------- each part */

struct asked {
    struct trial trial;         /*  first */
    struct fabric_reader *reader;
    struct fabric_part *part;
};

/*  The line of the argument whose value is in the text, or of the command. */
static int
line_of (const struct fabric_part *part, const char *text)
{
    for (int i = 1; i < part->argc; i++) {
        const char *value = strchr (part->argv[i], '=');
        if (strncmp (part->argv[i], "--", 2) == 0 && value && strlen (value) > 3 && strstr (text, value + 1))
            return part->lines[i];
    }
    return part->command_line;
}

/*  The line of an endpoint, which may be one of several in a value. */
static int
line_of_endpoint (const struct fabric_part *part, const char *address)
{
    for (int i = 1; i < part->argc; i++)
        if (strstr (part->argv[i], address))
            return part->lines[i];
    return part->command_line;
}

static void
on_wrong (struct trial *trial, const char *argument, const char *text)
{
    struct asked *self = (struct asked *) trial;
    const struct fabric_part *part = self->part;
    int line = line_of (part, text);
    for (int i = 0; i < part->argc; i++)
        if (part->argv[i] == argument)
            line = part->lines[i];
    fabric_mistake (self->reader, line, part, "%s", text);
}

static void
on_opens (struct trial *trial, const char *kind, const char *transport, const char *address, enum endpoint_side side)
{
    struct asked *self = (struct asked *) trial;
    struct fabric_part *part = self->part;
    void *more = realloc (part->endpoints, (part->endpoint_count + 1) * sizeof *part->endpoints);
    char *copy = strdup (address);
    if (more)
        part->endpoints = more;
    if (more && copy)
        part->endpoints[part->endpoint_count++] =
            (struct fabric_endpoint){ .kind = kind, .transport = transport, .address = copy, .side = side,
                                      .line = line_of_endpoint (part, address) };
    else {
        free (copy);
        fabric_mistake (self->reader, part->line, part, "not enough memory");
    }
}

static int
never_stopped (struct cli *cli)
{
    (void) cli;
    return 0;
}

/*  Asks the command itself. */
static void
check_part (struct fabric_reader *reader, struct fabric_part *part, weft_t *weft)
{
    struct asked asked = { .trial = { .wrong = on_wrong, .opens = on_opens }, .reader = reader, .part = part };
    struct cli cli = { .weft = weft, .in = part->in ? 0 : -1, .out = -1, .err = stderr, .stop_fd = -1, .shared = true,
                       .stopped = never_stopped, .signal = never_stopped, .name = part->command->name,
                       .trial = &asked.trial };
    char *argv[part->argc + 1];
    size_t before = reader->count;
    memcpy (argv, part->argv, sizeof argv);
    if (part->command->run (&cli, part->command, part->argc, argv) != EXIT_OK && reader->count == before)
        fabric_mistake (reader, part->command_line, part, "it could not run: try it by itself with weft %s",
                        part->command->name);
}

/* ------------------------------------------------------------ all together */

struct place {
    const struct fabric_part *part;
    const struct fabric_endpoint *endpoint;
};

/*  The port in HOST:PORT, or NULL when it is any that is free. */
static const char *
port_of (const char *address)
{
    const char *colon = strrchr (address, ':');
    return !colon || strcmp (colon, ":0") == 0 || strcmp (colon, ":*") == 0 ? NULL : colon + 1;
}

/*  Of hosts, as far as can be told without asking for names. */
static bool
same_host (const char *one, const char *other)
{
    static const char *const any[] = { "*:", "0.0.0.0:", "[::]:" };
    size_t length = (size_t) (strrchr (one, ':') - one), length_other = (size_t) (strrchr (other, ':') - other);
    for (size_t i = 0; i < sizeof any / sizeof *any; i++)
        if (strncmp (one, any[i], strlen (any[i])) == 0 || strncmp (other, any[i], strlen (any[i])) == 0)
            return true;
    if (strncmp (one, "localhost:", 10) == 0)
        return strncmp (other, "127.0.0.1:", 10) == 0 || strncmp (other, "localhost:", 10) == 0;
    return (length == length_other && strncmp (one, other, length) == 0)
           || (strncmp (other, "localhost:", 10) == 0 && strncmp (one, "127.0.0.1:", 10) == 0);
}

static bool
same_place (const struct fabric_endpoint *one, const struct fabric_endpoint *other)
{
    if (one->side != ENDPOINT_BIND || other->side != ENDPOINT_BIND || strcmp (one->transport, other->transport) != 0)
        return false;
    bool ports = strcmp (one->transport, "tcp") == 0 || strcmp (one->transport, "udp") == 0;
    if (!ports)
        return strcmp (one->address, "*") != 0 && strcmp (one->address, other->address) == 0;
    const char *port = port_of (one->address), *port_other = port_of (other->address);
    return port && port_other && strcmp (port, port_other) == 0 && same_host (one->address, other->address);
}

/*  Who can talk with whom. */
static bool
fit (const char *one, const char *other)
{
    static const char *const pairs[][2] = { { "req", "rep" },     { "pub", "sub" },   { "push", "pull" },
                                            { "head", "worker" }, { "head", "sink" } };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if ((strcmp (one, pairs[i][0]) == 0 && strcmp (other, pairs[i][1]) == 0)
            || (strcmp (one, pairs[i][1]) == 0 && strcmp (other, pairs[i][0]) == 0))
            return true;
    return false;
}

static void
check_pair (struct fabric_reader *reader, struct place one, struct place other)
{
    const struct fabric_endpoint *mine = one.endpoint, *yours = other.endpoint;
    if (same_place (mine, yours))
        fabric_mistake (reader, mine->line, one.part, "%s://%s is taken: '%s' listens there, in line %d",
                        mine->transport, mine->address, other.part->name, yours->line);
    else if (fabric_joined (mine, yours) && !fit (mine->kind, yours->kind)) {
        bool mine_connects = mine->side == ENDPOINT_CONNECT;
        fabric_mistake (reader, mine->line, one.part, "%s://%s: a %s here and a %s at the other end, which is '%s' in "
                        "line %d, do not fit%s", mine->transport, mine->address, mine->kind, yours->kind,
                        other.part->name, yours->line, mine_connects ? "" : " (this side binds)");
    }
}

/*  A name of inproc that nobody binds would be waited for in vain. */
static void
check_bound (struct fabric_reader *reader, struct place place, const struct place *places, size_t count)
{
    const char *names[count + 1], *near;
    size_t bound = 0;
    if (place.endpoint->side != ENDPOINT_CONNECT || strcmp (place.endpoint->transport, "inproc") != 0)
        return;
    for (size_t i = 0; i < count; i++) {
        const struct fabric_endpoint *each = places[i].endpoint;
        if (fabric_joined (place.endpoint, each))
            return;
        if (each->side == ENDPOINT_BIND && strcmp (each->transport, "inproc") == 0)
            names[bound++] = each->address;
    }
    near = option_nearest_word (place.endpoint->address, names, bound);
    fabric_mistake (reader, place.endpoint->line, place.part, "it connects to inproc://%s, which no part binds%s%s%s",
                    place.endpoint->address, near ? "; did you mean inproc://" : "", near ? near : "",
                    near ? "?" : " (@ in front of an endpoint binds it)");
}

/*  Only what the process has once: its standard input. */
static void
check_input (struct fabric_reader *reader)
{
    const struct fabric_part *reads = NULL;
    for (size_t i = 0; i < reader->fabric->count; i++) {
        const struct fabric_part *part = reader->fabric->parts[i];
        if (!part->in || strcmp (part->in, "-") != 0)
            continue;
        if (reads)
            fabric_mistake (reader, part->line, part, "'%s' reads the standard input of weft up already", reads->name);
        reads = part;
    }
}

/*  What a part with mistakes would bind is not known: then not all are `whole`. */
static void
check_together (struct fabric_reader *reader, bool whole)
{
    const struct fabric *fabric = reader->fabric;
    size_t count = 0;
    for (size_t i = 0; i < fabric->count; i++)
        count += fabric->parts[i]->endpoint_count;
    struct place *places = calloc (count + 1, sizeof *places);
    if (!places) {
        fabric_mistake (reader, 0, NULL, "not enough memory");
        return;
    }
    count = 0;
    for (size_t i = 0; i < fabric->count; i++)
        for (size_t j = 0; j < fabric->parts[i]->endpoint_count; j++)
            places[count++] = (struct place){ fabric->parts[i], &fabric->parts[i]->endpoints[j] };
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++)
            check_pair (reader, places[i], places[j]);
        if (whole)
            check_bound (reader, places[i], places, count);
    }
    free (places);
}

void
fabric_check (struct fabric_reader *self)
{
    weft_t *weft = weft_new ();
    bool whole = weft != NULL;
    for (size_t i = 0; i < self->fabric->count && weft; i++) {
        size_t before = self->count;
        if (self->fabric->parts[i]->command)
            check_part (self, self->fabric->parts[i], weft);
        whole = whole && self->fabric->parts[i]->command && self->count == before;
    }
    if (!weft)
        fabric_mistake (self, 0, NULL, "not enough memory");
    weft_destroy (&weft);
    check_input (self);
    check_together (self, whole);
}
