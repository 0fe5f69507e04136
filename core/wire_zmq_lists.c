/*  wire_zmq_lists.c - which keys a wire has let in, and what becomes of them when its list changes */

#include "core/wire_zmq_zap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

#include "core/error.h"

/*  Without a command, whatever a key is for will do. */
bool
zap_is_allowed (struct zap_domain *domain, const char *key, char *name, enum allow_verdict *verdict)
{
    *verdict = allow_ask (domain->allow, key, domain->peers ? domain->peers : "", NULL, 0, name);
    if (*verdict == ALLOW_NOT_FOR && !domain->peers)
        *verdict = ALLOW_YES;
    return *verdict == ALLOW_YES;
}

struct admitted {
    struct map_node node;
    char key[KEY_TEXT];
    uint64_t rights;            /*  when it was let in                                              */
    bool lapsed;                /*  its list is not in order any more: it may come back when it is */
};

static struct admitted *
find_admitted (const struct zap_domain *domain, const char *key)
{
    struct map_node *node = map_first (&domain->admitted, hash_bytes (key, KEY_TEXT));
    while (node && strcmp (map_entry (node, struct admitted, node)->key, key) != 0)
        node = map_next (node);
    return node ? map_entry (node, struct admitted, node) : NULL;
}

bool
zap_is_admitted (const struct zap_domain *domain, const char *key)
{
    const struct admitted *admitted = find_admitted (domain, key);
    return admitted && !admitted->lapsed;
}

bool
zap_was_admitted (const struct zap_domain *domain, const char *key)
{
    return find_admitted (domain, key) != NULL;
}

/*  Who is remembered can be revoked: who cannot be is not let in. */
bool
zap_admit (struct zap_domain *domain, const char *key)
{
    struct admitted *admitted = find_admitted (domain, key);
    if (!admitted && (admitted = malloc (sizeof *admitted))) {
        strcpy (admitted->key, key);
        map_add (&domain->admitted, &admitted->node, hash_bytes (admitted->key, KEY_TEXT));
    }
    if (admitted) {
        admitted->lapsed = false;
        admitted->rights = allow_rights (domain->allow, key);
    }
    return admitted != NULL;
}

/* ------------------------------------------------------------- lists that change */

struct told {
    char text[ZAP_TEXT];
};

static void
hear (void *arg, int level, const char *text)
{
    if (level <= WEFT_LOG_WARNING)
        snprintf (((struct told *) arg)->text, ZAP_TEXT, "%s", text);
}

/*  What it subscribed to may be more than it may have now: it is to come back, and subscribe anew. */
static bool
is_limited_anew (const struct zap_domain *domain, const struct admitted *admitted)
{
    return domain->wire->wire.type == WIRE_XPUB && !admitted->lapsed
           && allow_rights (domain->allow, admitted->key) != admitted->rights;
}

/*  Is it not let in any more? `words` say so then. */
static bool
lapses (struct zap_domain *domain, struct admitted *admitted, char *words, size_t size)
{
    char name[KEY_NAME_MAX + 1];
    enum allow_verdict verdict;
    bool was_lapsed = admitted->lapsed;
    if (zap_is_allowed (domain, admitted->key, name, &verdict)) {
        admitted->lapsed |= is_limited_anew (domain, admitted);
        if (admitted->lapsed && !was_lapsed)
            snprintf (words, size, "what %s may have has changed: it is to come back", name);
    } else {
        admitted->lapsed = verdict == ALLOW_CLOSED;
        if (!was_lapsed)
            allow_explain (domain->allow, verdict, admitted->key, name, domain->peers ? domain->peers : "connect",
                           words, size);
        if (!admitted->lapsed) {
            map_remove (&domain->admitted, &admitted->node);
            free (admitted);
            return !was_lapsed;
        }
    }
    return admitted->lapsed && !was_lapsed;
}

/*  The list has changed: who is still on it? */
static void
reconsider (struct zap_domain *domain)
{
    struct map_node *next;
    size_t gone = 0;
    char words[ZAP_TEXT / 2] = "";
    for (size_t i = 0; i <= domain->admitted.mask; i++)
        for (struct map_node *node = domain->admitted.buckets[i]; node; node = next) {
            next = node->next;
            gone += lapses (domain, map_entry (node, struct admitted, node), words, sizeof words);
        }
    if (gone == 0)
        return;
    unsigned ended = zap_end_connections (domain);
    zap_note (domain, "no longer let in: %s%s; connections ended: %u", words, gone > 1 ? ", and others" : "", ended);
}

/*  What is read anew, which may take time, is read without the lock. */
void
zap_look_at_lists (struct zap *self)
{
    pthread_mutex_lock (&self->lock);
    uint64_t last = self->ids;
    pthread_mutex_unlock (&self->lock);
    for (uint64_t id = 1; id <= last && id; id++) {
        pthread_mutex_lock (&self->lock);
        struct zap_domain *domain = NULL;
        for (struct zap_domain *each = self->domains; each; each = each->next)
            if (each->allow && each->id >= id && (!domain || each->id < domain->id))
                domain = each;
        struct allow *allow = domain ? allow_retain (domain->allow) : NULL;
        id = domain ? domain->id : last;
        pthread_mutex_unlock (&self->lock);
        if (!allow)
            break;
        struct told told = { .text = "" };
        struct log log = { .fn = hear, .arg = &told };
        allow_refresh (allow, &log);
        pthread_mutex_lock (&self->lock);
        for (domain = self->domains; domain; domain = domain->next) {
            if (domain->allow == allow && told.text[0])
                zap_note (domain, "%s", told.text);
            if (domain->allow == allow && domain->generation != allow_generation (allow)) {
                domain->generation = allow_generation (allow);
                reconsider (domain);
            }
        }
        pthread_mutex_unlock (&self->lock);
        allow_release (&allow);
    }
}

/*  The folder of the list: editors write another file and rename it. */
void
zap_watch_folder (struct zap *self, const struct allow *allow)
{
    char folder[KEY_PATH_MAX];
    snprintf (folder, sizeof folder, "%s", allow_path (allow));
    char *slash = strrchr (folder, '/');
    if (!slash)
        strcpy (folder, ".");
    else
        slash[slash == folder] = '\0';
    if (self->notify_fd >= 0)
        inotify_add_watch (self->notify_fd, folder,
                           IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB);
}
