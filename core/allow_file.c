/*  allow_file.c - the file of a list of peers: read, and edited in place of an editor */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/allow.h"
#include "core/error.h"
#include "core/file.h"

enum {
    LIST_MAX = 16 << 20,
    LOCK_TRIES = 500,           /*  ten seconds in all  */
    LOCK_PAUSE = 20             /*  ms                  */
};

int
allow_file_read (const char *path, struct buffer *text, struct stat *status)
{
    errno = 0;
    int rc = file_read (path, LIST_MAX, text, status);
    if (rc && errno == ENOENT)
        return error_set (WEFT_EIO, "%s: there is no such list of peers; make it: weft key allow NAME 'PUBLIC-KEY'",
                          path);
    return rc ? rc : file_trust (path, status, 022);
}

static int
read_list (const char *path, struct buffer *text, struct stat *status, struct allow_list **list)
{
    *list = NULL;
    int rc = allow_file_read (path, text, status);
    return rc ? rc : allow_list_parse (list, buffer_data (text), buffer_size (text), path);
}

int
allow_list_read (struct allow_list **self, const char *path)
{
    struct buffer text;
    struct stat status;
    buffer_init (&text, 0);
    int rc = read_list (path, &text, &status, self);
    buffer_free (&text);
    return rc;
}

static int
lock_descriptor (int fd, const char *path)
{
    for (int i = 0; flock (fd, LOCK_EX | LOCK_NB); i++) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return error_errno ("cannot lock %s", path);
        if (i == LOCK_TRIES)
            return error_set (WEFT_ETIMEOUT, "%s: somebody else has it locked; try again", path);
        poll (NULL, 0, LOCK_PAUSE);
    }
    return 0;
}

/*  The file itself is locked. Whoever held the lock before may have put another file in its place: then again. */
static int
lock_file (const char *path, bool make)
{
    for (;;) {
        struct stat ours, there;
        int fd = open (path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (make ? O_CREAT : 0), 0600);
        if (fd < 0)
            return error_errno ("%s", path);
        int rc = lock_descriptor (fd, path);
        if (rc == 0 && fstat (fd, &ours))
            rc = error_errno ("%s", path);
        if (rc == 0 && stat (path, &there) == 0 && there.st_dev == ours.st_dev && there.st_ino == ours.st_ino)
            return fd;
        close (fd);
        if (rc)
            return rc;
    }
}

/*  What an edit makes of a list. */
struct edit {
    const struct allow_entry *old;      /*  the line that it changes, or NULL           */
    struct allow_entry entry;           /*  what it becomes                             */
    bool revoke;                        /*  the line as it is, but revoked              */
};

static int
add_entry (struct buffer *out, const struct allow_entry *entry)
{
    int rc = buffer_addf (out, "%s%s %s", entry->revoked ? "!" : "", entry->name, entry->key);
    for (const char *word = entry->may; rc == 0 && *word; word += strlen (word) + 1)
        rc = buffer_addf (out, " %s", word);
    return rc ? rc : buffer_add_str (out, "\n");
}

static int
add_header (struct buffer *out)
{
    return buffer_add_str (out,
                           "#  Who may connect to weft, and for what: see weft key. A line a peer; !NAME: revoked.\n"
                           "#  NAME  PUBLIC-KEY  [MAY ...]\n");
}

static int
revoke_line (struct buffer *out, const char *line, const char *end)
{
    const char *name = line + strspn (line, " \t\r");
    int rc = buffer_add (out, line, (size_t) (name - line));
    rc = rc || *name == '!' ? rc : buffer_add_str (out, "!");
    return rc ? rc : buffer_add (out, name, (size_t) (end - name));
}

/*  `text` ends with a NUL. */
static int
rewrite (const struct edit *edit, const struct allow_list *list, const char *text, size_t size, struct buffer *out)
{
    const char *at = text, *end = text + size;
    size_t wanted = edit->old ? allow_list_line (list, edit->old) : 0;
    int rc = size ? 0 : add_header (out);
    for (size_t line = 1; at < end && rc == 0; line++) {
        const char *newline = memchr (at, '\n', (size_t) (end - at)), *next = newline ? newline + 1 : end;
        if (line != wanted)
            rc = buffer_add (out, at, (size_t) (next - at));
        else
            rc = edit->revoke ? revoke_line (out, at, next) : add_entry (out, &edit->entry);
        if (rc == 0 && !newline && (line != wanted || edit->revoke))
            rc = buffer_add_str (out, "\n");
        at = next;
    }
    return rc == 0 && !edit->old ? add_entry (out, &edit->entry) : rc;
}

static void
tell_was (const struct allow_entry *old, struct allow_entry *was)
{
    if (!was)
        return;
    *was = old ? *old : (struct allow_entry){ .name = "" };
    was->may = NULL;
}

typedef int (choose_fn) (const struct allow_list *list, const void *arg, const char *path, struct edit *edit);

static int
edit_locked (const char *path, choose_fn *choose, const void *arg, struct allow_entry *was)
{
    struct buffer text, out;
    struct stat status;
    struct allow_list *list;
    struct edit edit = { .old = NULL };
    buffer_init (&text, 0);
    buffer_init (&out, LIST_MAX);
    int rc = read_list (path, &text, &status, &list);
    rc = rc ? rc : choose (list, arg, path, &edit);
    rc = rc ? rc : buffer_terminate (&text);
    rc = rc ? rc : rewrite (&edit, list, buffer_data (&text), buffer_size (&text), &out);
    rc = rc ? rc : file_save (path, &out, (status.st_mode & 0755) | 0600, status.st_gid, true);
    if (rc == 0)
        tell_was (edit.old, was);
    allow_list_free (&list);
    buffer_free (&text);
    buffer_free (&out);
    return rc;
}

static int
edit_file (const char *path, bool make, choose_fn *choose, const void *arg, struct allow_entry *was)
{
    int fd = lock_file (path, make);
    if (fd < 0)
        return fd;
    int rc = edit_locked (path, choose, arg, was);
    close (fd);
    return rc;
}

struct put {
    const struct allow_entry *entry;
    bool replace;
};

static int
choose_put (const struct allow_list *list, const void *arg, const char *path, struct edit *edit)
{
    const struct put *put = arg;
    const struct allow_entry *entry = put->entry, *named = allow_list_find_name (list, entry->name),
                             *keyed = allow_list_find (list, entry->key);
    edit->entry = *entry;
    edit->old = named ? named : keyed;
    if (!entry->may)
        edit->entry.may = edit->old ? edit->old->may : "";
    if (named && keyed && named != keyed)
        return error_set (WEFT_ESTATE,
                          "%s: that key stands in line %zu as %s, and %s with another key in line %zu; take "
                          "one of the lines out",
                          path, allow_list_line (list, keyed), keyed->name, entry->name, allow_list_line (list, named));
    if (put->replace || named == keyed)
        return 0;
    return named ? error_set (WEFT_ESTATE, "%s:%zu: %s stands there with another key; --replace changes it", path,
                              allow_list_line (list, named), entry->name)
                 : error_set (WEFT_ESTATE, "%s:%zu: that key stands there as %s; --replace changes the name", path,
                              allow_list_line (list, keyed), keyed->name);
}

int
allow_file_put (const char *path, const struct allow_entry *entry, bool replace, struct allow_entry *was)
{
    if (!key_is_name (entry->name))
        return error_set (WEFT_EINVAL,
                          "%s: a peer's name is of up to %d letters, digits and . _ -, and does not begin "
                          "with . or -",
                          entry->name, KEY_NAME_MAX);
    if (!key_is_text (entry->key))
        return error_set (WEFT_EINVAL, "%s: not a public key: that is 40 characters of Z85", entry->key);
    for (const char *word = entry->may; word && *word; word += strlen (word) + 1)
        if (allow_check_may (word))
            return WEFT_EINVAL;
    struct put put = { entry, replace };
    return edit_file (path, true, choose_put, &put, was);
}

static int
choose_revoke (const struct allow_list *list, const void *arg, const char *path, struct edit *edit)
{
    const char *text = arg;
    edit->revoke = true;
    edit->old = key_is_text (text) ? allow_list_find (list, text) : allow_list_find_name (list, text);
    return edit->old ? 0
                     : error_set (WEFT_ESTATE, "%s: %s is not on that list; weft key list shows who is", path, text);
}

int
allow_file_revoke (const char *path, const char *name_or_key, struct allow_entry *was)
{
    if (access (path, F_OK) && errno == ENOENT)
        return error_set (WEFT_ESTATE, "%s: there is no such list, so there is nobody to revoke", path);
    return edit_file (path, false, choose_revoke, name_or_key, was);
}
