/*  hosts.c - machines as --ssh takes them, in the habits of GNU parallel's --sshlogin */

#include "cli/hosts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/error.h"
#include "core/file.h"
#include "patterns/pool.h"

#define HOSTFILE_MAX (1024 * 1024)
#define BLANKS " \t\r"

static int
bad (const char *text, const char *why)
{
    return error_set (WEFT_EINVAL, "host '%s': %s; write HOST, USER@HOST, or N/HOST for N jobs at once there", text,
                      why);
}

/*  What `text` says, without blanks around it. */
static int
host_parse (struct host *self, const char *text)
{
    char *end;
    const char *login = text;
    long slots = strtol (text, &end, 10);
    if (end > text && *end == '/' && *text >= '0' && *text <= '9') {
        if (slots < 1 || slots > POOL_SLOTS_MAX)
            return bad (text, "a machine runs 1 to 4096 jobs at once");
        self->slots = (int) slots;
        login = end + 1;
    }
    const char *last = login + strlen (login);
    while (last > login && !strchr (BLANKS, last[-1]))
        last--;
    const char *at = strrchr (last, '@');
    const char *name = at ? at + 1 : last;
    if (!*name)
        return bad (text, "there is no name in it");
    /*  ssh would take it for an option. */
    if (*last == '-' || *name == '-')
        return bad (text, "a name does not begin with -");
    for (const char *c = text; *c; c++)
        if ((unsigned char) *c < ' ' || *c == 127)
            return bad (text, "it has a control character");
    if (strlen (name) > POOL_NAME_MAX)
        return bad (text, "the name is too long");
    self->local = strcmp (login, ":") == 0;
    self->login = strdup (login);
    self->name = strdup (name);
    return self->login && self->name ? 0 : error_set (WEFT_ENOMEM, "out of memory");
}

static int
add_one (struct hosts *self, char *text)
{
    text += strspn (text, BLANKS);
    for (size_t size = strlen (text); size && strchr (BLANKS, text[size - 1]); )
        text[--size] = '\0';
    if (!*text)
        return 0;
    if (self->count == HOSTS_MAX)
        return error_set (WEFT_ELIMIT, "more than %d hosts", HOSTS_MAX);
    struct host *list = reallocarray (self->list, self->count + 1, sizeof *list);
    if (!list)
        return error_set (WEFT_ENOMEM, "out of memory");
    self->list = list;
    struct host *host = &list[self->count++];
    *host = (struct host){ .login = NULL };
    return host_parse (host, text);
}

static int
add_each (struct hosts *self, char *text, const char *separator, bool comments)
{
    int rc = 0;
    for (char *rest = text, *one; rc == 0 && (one = strsep (&rest, separator)); ) {
        one += strspn (one, BLANKS);
        if (!comments || *one != '#')
            rc = add_one (self, one);
    }
    return rc;
}

static int
add_file (struct hosts *self, const char *path)
{
    struct buffer text;
    struct stat status;
    buffer_init (&text, 0);
    int rc = file_read (path, HOSTFILE_MAX, &text, &status);
    rc = rc ? rc : buffer_terminate (&text);
    if (rc == 0)
        rc = add_each (self, buffer_data (&text), "\n", true);
    buffer_free (&text);
    return rc ? error_set (rc, "%s: %s", path, weft_error ()) : 0;
}

int
hosts_add (struct hosts *self, const char *text)
{
    struct stat status;
    bool path = *text == '/' || strncmp (text, "./", 2) == 0 || strncmp (text, "../", 3) == 0;
    /*  "/usr/bin/ssh n1" is a command. */
    if ((path && !strpbrk (text, BLANKS)) || (stat (text, &status) == 0 && S_ISREG (status.st_mode)))
        return add_file (self, text);
    char *copy = strdup (text);
    if (!copy)
        return error_set (WEFT_ENOMEM, "out of memory");
    int rc = add_each (self, copy, ",", false);
    free (copy);
    return rc;
}

void
hosts_free (struct hosts *self)
{
    for (size_t i = 0; i < self->count; i++) {
        free (self->list[i].login);
        free (self->list[i].name);
    }
    free (self->list);
    *self = (struct hosts){ .count = 0 };
}
