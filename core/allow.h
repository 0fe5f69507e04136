/*  allow.h - whose keys are let in, and for what
 *
 *  A text file, a line a peer; what follows a # that begins a line is a comment:
 *
 *      NAME  PUBLIC-KEY  [MAY ...]         let in
 *      !NAME PUBLIC-KEY  [MAY ...]         was revoked: kept, so that it can be named when it comes again
 *
 *  MAY is what the peer does: a command (req rep pub sub push pull worker ventilator bridge), or, for what it
 *  subscribes to or publishes, sub:PREFIX or pub:PREFIX. Without any, everything is allowed. A key stands once,
 *  a name once.
 *
 *  Fails closed: a file that is missing, empty, malformed, over 16 MiB, or writable by others than its owner lets
 *  nobody in, and says so. */
#ifndef WEFT_CORE_ALLOW_H
#define WEFT_CORE_ALLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "core/certificate.h"
#include "core/log.h"

/* --------------------------------------------------------------- the list, read */

struct allow_entry {
    char name[KEY_NAME_MAX + 1];
    char key[KEY_TEXT];
    bool revoked;
    const char *may;                    /*  words, each ended by a NUL, then an empty one; "": everything */
};

struct allow_list;                      /*  does not change once it was read                    */

/*  WEFT_EPROTO (FILE:LINE: why), WEFT_EACCES (mode or owner), WEFT_EIO. An empty list is read, and
 *  lets nobody in. */
int allow_list_read (struct allow_list **self, const char *path);
int allow_list_parse (struct allow_list **self, const char *text, size_t size, const char *path);
void allow_list_free (struct allow_list **self);
size_t allow_list_count (const struct allow_list *self);
const struct allow_entry *allow_list_at (const struct allow_list *self, size_t index);
const struct allow_entry *allow_list_find (const struct allow_list *self, const char *key);
const struct allow_entry *allow_list_find_name (const struct allow_list *self, const char *name);

/*  The line of the file, counted from 1, where the entry stands. */
size_t allow_list_line (const struct allow_list *self, const struct allow_entry *entry);

/*  WEFT_EINVAL for what is no MAY, with the nearest command. */
int allow_check_may (const char *word);

/*  May it be that command at all, whatever the topics? May it have that topic (pub, sub)? A subscription that
 *  covers more than its prefix is not covered by it. */
bool allow_may (const struct allow_entry *entry, const char *command);
bool allow_may_topic (const struct allow_entry *entry, const char *command, const void *topic, size_t size);

/*  The text, when mode and owner are as they should be; not parsed. */
int allow_file_read (const char *path, struct buffer *text, struct stat *status);

/*  Edit the file in place of an editor: temporary name, fsync, rename, under a lock, comments and order kept. A new one
 *  has mode 0600, another keeps its own. A file that cannot be read as a list is left alone: the error says why.
 *  allow_file_put adds a peer, or changes the line that has both its name and its key; one that has its name or its
 *  key is changed with `replace`, and otherwise WEFT_ESTATE; two different ones are WEFT_ESTATE always. Its `may` NULL:
 *  as it was, which is everything for a new peer. revoke is WEFT_ESTATE when there is none, and no error when it was
 *  revoked already. `was` (may be NULL) gets the line as it
 *  was, its `may` NULL; name "": there was none. */
int allow_file_put (const char *path, const struct allow_entry *entry, bool replace, struct allow_entry *was);
int allow_file_revoke (const char *path, const char *name_or_key, struct allow_entry *was);

/* --------------------------------------------------- the list, kept up to date */

enum allow_verdict {
    ALLOW_YES,
    ALLOW_UNKNOWN,      /*  not on the list                                                     */
    ALLOW_REVOKED,
    ALLOW_NOT_FOR,      /*  on the list, but not for that command or topic                      */
    ALLOW_CLOSED        /*  the list itself is bad, so nobody is let in                         */
};

/*  A file that is looked at again when it changed; shared and thread-safe. */
struct allow;

/*  Reads it. Even when that fails there is an allow, which lets nobody in until the file is mended: then the
 *  result is the error, and *self is set. Only WEFT_ENOMEM leaves it NULL. One a path in a process. */
int allow_open (struct allow **self, const char *path);
struct allow *allow_retain (struct allow *self);
void allow_release (struct allow **self);
const char *allow_path (const struct allow *self);

/*  Looks whether the file changed (by inode, size and times), and reads it anew: 1 when it did. What is wrong with
 *  it then is logged, each thing once. Cheap: a stat. */
int allow_refresh (struct allow *self, const struct log *log);

/*  One more each time that the list changed; a plain atomic load, for the hot path. */
uint64_t allow_generation (const struct allow *self);

/*  `topic` NULL: the command as a whole. `name` (may be NULL; KEY_NAME_MAX + 1 bytes) gets the peer's
 *  name, "" for none. */
enum allow_verdict allow_ask (struct allow *self, const char *key, const char *command, const void *topic, size_t size,
                              char *name);

/*  A number that is another when what the key may do is another; 0 when it is not let in. */
uint64_t allow_rights (struct allow *self, const char *key);

/*  The verdict in plain words: who, what is wrong, and what to type to let it in. */
void allow_explain (struct allow *self, enum allow_verdict verdict, const char *key, const char *name,
                    const char *command, char *text, size_t size);

#endif
