/*  ticket.c - what a worker elsewhere is handed: where its head is, the keys, its options */

#include "cli/ticket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/error.h"
#include "core/file.h"

#define TICKET_MAX (16 * 1024)
#define TICKET_VERSION "1"
#define SECRETS 077             /*  of a file's mode: others                    */

void
ticket_init (struct ticket *self)
{
    memset (self, 0, sizeof *self);
    buffer_init (&self->options, TICKET_MAX);
}

void
ticket_free (struct ticket *self)
{
    certificate_forget (&self->key);
    buffer_free (&self->options);
}

int
ticket_add (struct ticket *self, const char *name, const char *value)
{
    if (!value)
        return 0;
    if (strchr (value, '\n'))
        return error_set (WEFT_EINVAL, "%s: a line break has no place in it", name);
    int rc = buffer_add (&self->options, name, strlen (name) + 1);
    return rc ? rc : buffer_add (&self->options, value, strlen (value) + 1);
}

bool
ticket_next (const struct ticket *self, const char **at, const char **name, const char **value)
{
    const char *begin = *at ? *at : buffer_data (&self->options);
    if (begin == buffer_data (&self->options) + buffer_size (&self->options))
        return false;
    *name = begin;
    *value = begin + strlen (begin) + 1;
    *at = *value + strlen (*value) + 1;
    return true;
}

int
ticket_print (const struct ticket *self, struct buffer *out)
{
    const char *at = NULL, *name, *value;
    int rc = buffer_addf (out, "weft-ticket = " TICKET_VERSION "\nconnect = %s\n", self->connect);
    if (rc == 0 && self->server_key[0])
        rc = buffer_addf (out, "server-key = %s\npublic-key = %s\nsecret-key = %s\n", self->server_key,
                          self->key.public_key, self->key.secret_key);
    while (rc == 0 && ticket_next (self, &at, &name, &value))
        rc = buffer_addf (out, "%s = %s\n", name, value);
    return rc ? rc : buffer_add_str (out, "end\n");
}

/* ------------------------------------------------------------------- reading */

static int
take_key (char key[KEY_TEXT], const char *value)
{
    if (!key_is_text (value))
        return WEFT_EPROTO;
    memcpy (key, value, KEY_TEXT);
    return 0;
}

static int
take_value (struct ticket *self, const char *name, const char *value)
{
    if (strcmp (name, "weft-ticket") == 0)
        return strcmp (value, TICKET_VERSION) == 0 ? 0 : WEFT_ENOTSUP;
    if (strcmp (name, "server-key") == 0)
        return take_key (self->server_key, value);
    if (strcmp (name, "public-key") == 0)
        return take_key (self->key.public_key, value);
    if (strcmp (name, "secret-key") == 0)
        return take_key (self->key.secret_key, value);
    if (strcmp (name, "connect") != 0)
        return ticket_add (self, name, value);
    int size = snprintf (self->connect, sizeof self->connect, "%s", value);
    return size < (int) sizeof self->connect ? 0 : WEFT_EPROTO;
}

/*  "NAME = VALUE"; `line` is changed. */
static int
take_line (struct ticket *self, char *line)
{
    char *equals = strstr (line, " = ");
    if (!equals)
        return WEFT_EPROTO;
    *equals = '\0';
    return take_value (self, line, equals + 3);
}

static int
parse_lines (struct ticket *self, char *text, const char *where)
{
    bool ended = false;
    int number = 0, rc = 0;
    for (char *line = text, *next; rc == 0 && *line && !ended; line = next) {
        next = line + strcspn (line, "\n");
        next += *next ? 1 : 0;
        if (next > line && next[-1] == '\n')
            next[-1] = '\0';
        number++;
        ended = strcmp (line, "end") == 0;
        rc = ended ? 0 : take_line (self, line);
        if (rc == 0 && number == 1 && strcmp (line, "weft-ticket") != 0)
            rc = WEFT_EPROTO;
    }
    if (rc == WEFT_ENOTSUP)
        return error_set (rc, "%s: it is of another version of weft: have the same version everywhere", where);
    /*  The line is not shown: it may be the secret one. */
    if (rc)
        return error_set (rc, "%s:%d: not a ticket of weft run", where, number);
    bool keys = self->server_key[0] && self->key.public_key[0] && self->key.secret_key[0];
    bool none = !self->server_key[0] && !self->key.public_key[0] && !self->key.secret_key[0];
    if (!ended || !self->connect[0] || (!keys && !none))
        return error_set (WEFT_EPROTO, "%s: a ticket of weft run that was cut off", where);
    return 0;
}

int
ticket_parse (struct ticket *self, const char *text, size_t size, const char *where)
{
    char copy[TICKET_MAX + 1];
    if (size > TICKET_MAX || memchr (text, '\0', size))
        return error_set (WEFT_EPROTO, "%s: not a ticket of weft run", where);
    memcpy (copy, text, size);
    copy[size] = '\0';
    int rc = parse_lines (self, copy, where);
    explicit_bzero (copy, sizeof copy);
    return rc;
}

int
ticket_load (struct ticket *self, const char *path)
{
    struct buffer text;
    struct stat status;
    buffer_init (&text, 0);
    int rc = file_read (path, TICKET_MAX, &text, &status);
    rc = rc ? rc : file_trust (path, &status, SECRETS);
    rc = rc ? rc : ticket_parse (self, buffer_data (&text), buffer_size (&text), path);
    file_forget (&text);
    return rc;
}

int
ticket_receive (struct ticket *self, int fd)
{
    char text[TICKET_MAX];
    size_t size = 0, line = 0;
    int rc = 0;
    while (rc == 0 && size < sizeof text) {
        ssize_t got = read (fd, text + size, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            rc = error_errno ("cannot read a ticket from standard input");
        if (got == 0)
            break;
        if (text[size++] != '\n')
            continue;
        if (size - line == 4 && memcmp (text + line, "end\n", 4) == 0)
            break;
        line = size;
    }
    rc = rc ? rc : ticket_parse (self, text, size, "standard input");
    explicit_bzero (text, sizeof text);
    return rc;
}

/* ------------------------------------------------------------------ in memory */

int
ticket_memory (const struct buffer *text, char path[64])
{
    const char *at = buffer_data (text), *end = at + buffer_size (text);
    int fd = memfd_create ("weft", MFD_CLOEXEC);
    if (fd < 0 || fchmod (fd, 0600)) {
        error_errno ("cannot keep keys in memory");
        goto failed;
    }
    while (at < end) {
        ssize_t size = write (fd, at, (size_t) (end - at));
        if (size < 0 && errno != EINTR) {
            error_errno ("cannot keep keys in memory");
            goto failed;
        }
        at += size > 0 ? size : 0;
    }
    snprintf (path, 64, "/proc/self/fd/%d", fd);
    if (access (path, R_OK) == 0)
        return fd;
    error_errno ("cannot keep keys in memory: %s", path);

failed:
    if (fd >= 0)
        close (fd);
    return WEFT_EIO;
}

int
ticket_key_memory (const struct certificate *key, char path[64])
{
    struct buffer text;
    buffer_init (&text, 0);
    int rc = certificate_print (key, true, &text);
    rc = rc ? rc : ticket_memory (&text, path);
    file_forget (&text);
    return rc;
}
