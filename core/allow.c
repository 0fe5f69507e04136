/*  allow.c - a list of peers that is kept up to date with its file, and asked */

#include "core/allow.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/map.h"

/*  A file may change twice within one tick of the file system's clock, and show the same times and size. So for a while
 *  after a change it is read again, though not at each handshake. */
#define UNSETTLED (2 * TIME_S)
#define READ_AGAIN (100 * TIME_MS)

struct allow {
    struct allow *next;
    unsigned references;            /*  under the lock of all                                   */
    pthread_mutex_t lock;           /*  of what follows                                         */
    struct allow_list *list;        /*  NULL: nobody is let in                                  */
    int error;                      /*  why, and in words                                       */
    char trouble[512];
    struct stat seen;               /*  as the file was last; all zero when it is not there     */
    uint64_t content;               /*  a hash of its text                                      */
    int64_t changed, read;          /*  when that was seen to be another; when it was last read */
    atomic_uint_fast64_t generation;
    char path[];
};

static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;
static struct allow *all;

static bool
same_time (struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool
same_file (const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           same_time (a->st_mtim, b->st_mtim) && same_time (a->st_ctim, b->st_ctim);
}

/*  Closes the list, or says that it is for another reason than before. 1 when this is news. */
static int
shut (struct allow *self, int error)
{
    bool news = self->list || strcmp (self->trouble, weft_error ()) != 0;
    allow_list_free (&self->list);
    self->error = error;
    snprintf (self->trouble, sizeof self->trouble, "%s", weft_error ());
    return news;
}

static int
take (struct allow *self, const struct buffer *text)
{
    uint64_t content = hash_bytes (buffer_data (text), buffer_size (text));
    if (self->list && content == self->content)
        return 0;
    struct allow_list *list;
    int rc = allow_list_parse (&list, buffer_data (text), buffer_size (text), self->path);
    if (rc)
        return shut (self, rc);
    allow_list_free (&self->list);
    self->list = list;
    self->content = content;
    self->trouble[0] = '\0';
    self->error = 0;
    return 1;
}

/*  1 when whom it lets in, or why nobody, is another than before. */
static int
look (struct allow *self)
{
    struct stat status;
    int64_t time = clock_now (clock_system ());
    if (stat (self->path, &status))
        memset (&status, 0, sizeof status);
    if (!same_file (&status, &self->seen))
        self->changed = time;
    else if (self->read - self->changed >= UNSETTLED || time - self->read < READ_AGAIN)
        return 0;
    struct buffer text;
    buffer_init (&text, 0);
    self->read = time;
    int rc = allow_file_read (self->path, &text, &status);
    if (rc) {
        /*  For want of descriptors perhaps, which the file does not show. */
        self->changed = time;
        rc = shut (self, rc);
    } else
        rc = take (self, &text);
    self->seen = status;
    buffer_free (&text);
    if (rc)
        atomic_fetch_add (&self->generation, 1);
    return rc;
}

static struct allow *
find (const char *path)
{
    struct allow *self = all;
    while (self && strcmp (self->path, path) != 0)
        self = self->next;
    return self;
}

static struct allow *
make (const char *path)
{
    size_t size = strlen (path) + 1;
    struct allow *self = calloc (1, sizeof *self + size);
    if (!self)
        return NULL;
    memcpy (self->path, path, size);
    pthread_mutex_init (&self->lock, NULL);
    self->changed = self->read = -READ_AGAIN;
    self->next = all;
    all = self;
    return self;
}

int
allow_open (struct allow **handle, const char *path)
{
    pthread_mutex_lock (&all_lock);
    struct allow *self = find (path);
    self = self ? self : make (path);
    if (self)
        self->references++;
    pthread_mutex_unlock (&all_lock);
    *handle = self;
    if (!self)
        return error_plain (WEFT_ENOMEM);
    pthread_mutex_lock (&self->lock);
    look (self);
    int rc = self->list ? 0 : error_set (self->error, "%s", self->trouble);
    pthread_mutex_unlock (&self->lock);
    return rc;
}

struct allow *
allow_retain (struct allow *self)
{
    pthread_mutex_lock (&all_lock);
    self->references++;
    pthread_mutex_unlock (&all_lock);
    return self;
}

void
allow_release (struct allow **handle)
{
    struct allow *self = *handle;
    if (!self)
        return;
    *handle = NULL;
    pthread_mutex_lock (&all_lock);
    bool last = --self->references == 0;
    for (struct allow **place = &all; last && *place; place = *place ? &(*place)->next : place)
        if (*place == self)
            *place = self->next;
    pthread_mutex_unlock (&all_lock);
    if (!last)
        return;
    allow_list_free (&self->list);
    pthread_mutex_destroy (&self->lock);
    free (self);
}

const char *
allow_path (const struct allow *self)
{
    return self->path;
}

int
allow_refresh (struct allow *self, const struct log *log)
{
    pthread_mutex_lock (&self->lock);
    int changed = look (self);
    char trouble[sizeof self->trouble];
    strcpy (trouble, self->trouble);
    size_t count = self->list ? allow_list_count (self->list) : 0;
    pthread_mutex_unlock (&self->lock);
    if (changed && trouble[0])
        log_error (log, "%s; nobody is let in until it is mended", trouble);
    else if (changed)
        log_info (log, "%s: read again: %zu peer%s", self->path, count, count == 1 ? "" : "s");
    return changed;
}

uint64_t
allow_generation (const struct allow *self)
{
    return atomic_load (&self->generation);
}

static enum allow_verdict
judge (const struct allow *self, const struct allow_entry *entry, const char *command, const void *topic, size_t size)
{
    if (!self->list)
        return ALLOW_CLOSED;
    if (!entry)
        return ALLOW_UNKNOWN;
    if (entry->revoked)
        return ALLOW_REVOKED;
    bool may = topic ? allow_may_topic (entry, command, topic, size) : allow_may (entry, command);
    return may ? ALLOW_YES : ALLOW_NOT_FOR;
}

enum allow_verdict
allow_ask (struct allow *self, const char *key, const char *command, const void *topic, size_t size, char *name)
{
    pthread_mutex_lock (&self->lock);
    const struct allow_entry *entry = self->list ? allow_list_find (self->list, key) : NULL;
    enum allow_verdict verdict = judge (self, entry, command, topic, size);
    if (name)
        strcpy (name, entry ? entry->name : "");
    pthread_mutex_unlock (&self->lock);
    return verdict;
}

uint64_t
allow_rights (struct allow *self, const char *key)
{
    pthread_mutex_lock (&self->lock);
    const struct allow_entry *entry = self->list ? allow_list_find (self->list, key) : NULL;
    uint64_t rights = entry && !entry->revoked;
    for (const char *word = rights ? entry->may : ""; *word; word += strlen (word) + 1)
        rights = hash_number (rights ^ hash_bytes (word, strlen (word)));
    pthread_mutex_unlock (&self->lock);
    return rights;
}

/*  " --allow FILE" when the list is not the one that weft key edits by itself. */
static void
write_option (const struct allow *self, char *text, size_t size)
{
    char path[KEY_PATH_MAX];
    bool standard = key_path (path, "allowed", "") == 0 && strcmp (path, self->path) == 0;
    snprintf (text, size, "%s%s", standard ? "" : " --allow ", standard ? "" : self->path);
}

void
allow_explain (struct allow *self, enum allow_verdict verdict, const char *key, const char *name, const char *command,
               char *text, size_t size)
{
    char print[KEY_FINGERPRINT] = "not a key", option[512];
    const char *who = name && *name ? name : "NAME";
    if (key_is_text (key))
        key_fingerprint (key, print);
    write_option (self, option, sizeof option);
    switch (verdict) {
    case ALLOW_YES: snprintf (text, size, "%s (%s) may %s", who, print, command); break;
    case ALLOW_UNKNOWN:
        snprintf (text, size, "an unknown key (%s); to let it in: weft key allow NAME '%s'%s", print, key, option);
        break;
    case ALLOW_REVOKED:
        snprintf (text, size, "%s (%s) was revoked; to let it in again: weft key allow %s '%s'%s", who, print, who, key,
                  option);
        break;
    case ALLOW_NOT_FOR:
        snprintf (text, size, "%s (%s) is allowed, but not to %s; say for what: weft key allow %s '%s' --for %s ...%s",
                  who, print, command, who, key, command, option);
        break;
    case ALLOW_CLOSED:
        pthread_mutex_lock (&self->lock);
        snprintf (text, size, "nobody is let in: %s", self->trouble[0] ? self->trouble : self->path);
        pthread_mutex_unlock (&self->lock);
        break;
    }
}
