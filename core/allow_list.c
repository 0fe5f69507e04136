/*  allow_list.c - the text of a list of peers, taken strictly; and what it says of one */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/allow.h"
#include "core/error.h"
#include "core/file.h"
#include "core/map.h"
#include "core/option.h"

#define LIST_LEAST (KEY_TEXT + 2)   /*  bytes of the shortest line: a letter, a blank, a key, a newline */
#define PREFIX_MAX 245              /*  bytes of a topic                            */

struct row {
    struct allow_entry entry;       /*  first */
    struct map_node by_key, by_name;
    size_t line;
};

struct allow_list {
    struct row *rows;
    size_t count;
    char *words;                    /*  the `may` of all                            */
    size_t words_size;
    struct map by_key, by_name;
};

static const char *const commands[] = { "req", "rep", "pub", "sub", "push", "pull", "worker", "ventilator", "bridge" };
enum { COMMANDS = sizeof commands / sizeof *commands };

int
allow_check_may (const char *word)
{
    const char *colon = strchr (word, ':');
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp (word, commands[i]) == 0)
            return 0;
    if (!colon) {
        const char *nearest = option_nearest_word (word, commands, COMMANDS);
        return error_set (WEFT_EINVAL,
                          "%s: not what a peer may do%s%s; that is req, rep, pub, sub, push, pull, worker, "
                          "ventilator, bridge, sub:PREFIX or pub:PREFIX",
                          word, nearest ? "; did you mean " : "", nearest ? nearest : "");
    }
    if (strncmp (word, "sub:", 4) != 0 && strncmp (word, "pub:", 4) != 0)
        return error_set (WEFT_EINVAL, "%s: only sub: and pub: have a prefix of topics", word);
    size_t size = strlen (word + 4);
    if (size == 0 || size > PREFIX_MAX)
        return error_set (WEFT_EINVAL, "%s: a prefix of topics has 1 to %d bytes%s%.3s", word, PREFIX_MAX,
                          size ? "" : "; for all topics write ", size ? "" : word);
    for (const char *at = word; *at; at++)
        if ((unsigned char) *at <= ' ' || *at == 127)
            return error_set (WEFT_EINVAL, "%s: a prefix of topics cannot hold blanks; give what comes before", word);
    return 0;
}

size_t
allow_list_count (const struct allow_list *self)
{
    return self->count;
}

const struct allow_entry *
allow_list_at (const struct allow_list *self, size_t index)
{
    return &self->rows[index].entry;
}

size_t
allow_list_line (const struct allow_list *self, const struct allow_entry *entry)
{
    (void) self;
    return ((const struct row *) (const void *) entry)->line;
}

const struct allow_entry *
allow_list_find (const struct allow_list *self, const char *key)
{
    struct map_node *node = map_first (&self->by_key, hash_bytes (key, strlen (key)));
    for (; node; node = map_next (node)) {
        const struct row *row = map_entry (node, struct row, by_key);
        if (strcmp (row->entry.key, key) == 0)
            return &row->entry;
    }
    return NULL;
}

const struct allow_entry *
allow_list_find_name (const struct allow_list *self, const char *name)
{
    struct map_node *node = map_first (&self->by_name, hash_bytes (name, strlen (name)));
    for (; node; node = map_next (node)) {
        const struct row *row = map_entry (node, struct row, by_name);
        if (strcmp (row->entry.name, name) == 0)
            return &row->entry;
    }
    return NULL;
}

/*  The next word of a line into `word`: its size, 0 for none; one that is too large for it is cut. */
static size_t
take_word (const char **at, const char *end, char *word, size_t room)
{
    while (*at < end && strchr (" \t\r", **at))
        (*at)++;
    const char *begin = *at;
    while (*at < end && !strchr (" \t\r", **at))
        (*at)++;
    size_t size = (size_t) (*at - begin);
    size = size < room ? size : room - 1;
    memcpy (word, begin, size);
    word[size] = '\0';
    return size;
}

/*  A name is cut after more than it may have, and a MAY likewise: so neither passes for a shorter one. */
static int
take_row (struct allow_list *self, const char *at, const char *end, const char *path, size_t line)
{
    char name[KEY_NAME_MAX + 3], key[KEY_TEXT + 1], word[PREFIX_MAX + 6];
    if (take_word (&at, end, name, sizeof name) == 0 || name[0] == '#')
        return 0;
    bool revoked = name[0] == '!';
    const char *plain = name + revoked;
    if (!key_is_name (plain))
        return error_set (WEFT_EPROTO, "%s:%zu: %s: a line is NAME PUBLIC-KEY [MAY ...], and that is no name", path,
                          line, name);
    if (take_word (&at, end, key, sizeof key) == 0 || !key_is_text (key))
        return error_set (WEFT_EPROTO, "%s:%zu: a public key, 40 characters of Z85, belongs after %s", path, line,
                          name);
    const struct allow_entry *other = allow_list_find_name (self, plain);
    if (other)
        return error_set (WEFT_EPROTO, "%s:%zu: %s stands in line %zu already; a name stands once", path, line, plain,
                          allow_list_line (self, other));
    other = allow_list_find (self, key);
    if (other)
        return error_set (WEFT_EPROTO, "%s:%zu: that key stands in line %zu already, as %s; a key stands once", path,
                          line, allow_list_line (self, other), other->name);
    struct row *row = &self->rows[self->count];
    row->line = line;
    row->entry.revoked = revoked;
    row->entry.may = self->words + self->words_size;
    strcpy (row->entry.name, plain);
    strcpy (row->entry.key, key);
    for (size_t size; (size = take_word (&at, end, word, sizeof word)); self->words_size += size + 1) {
        if (allow_check_may (word))
            return error_set (WEFT_EPROTO, "%s:%zu: %s", path, line, weft_error ());
        strcpy (self->words + self->words_size, word);
    }
    self->words[self->words_size++] = '\0';
    map_add (&self->by_key, &row->by_key, hash_bytes (key, KEY_TEXT - 1));
    map_add (&self->by_name, &row->by_name, hash_bytes (plain, strlen (plain)));
    self->count++;
    return 0;
}

static int
take_rows (struct allow_list *self, const char *text, size_t size, const char *path)
{
    const char *at = text, *end = text + size;
    for (size_t line = 1; at < end; line++) {
        const char *newline = memchr (at, '\n', (size_t) (end - at)), *stop = newline ? newline : end;
        int rc = memchr (at, '\0', (size_t) (stop - at))
                     ? error_set (WEFT_EPROTO, "%s:%zu: a zero byte: not a text file", path, line)
                     : take_row (self, at, stop, path, line);
        if (rc)
            return rc;
        at = newline ? newline + 1 : end;
    }
    return 0;
}

/*  A line without its newline needs room too: so does each NUL that ends a peer's words. */
static int
make_room (struct allow_list *self, size_t size)
{
    size_t most = size / LIST_LEAST + 1;
    self->rows = calloc (most, sizeof *self->rows);
    self->words = malloc (size + most + 1);
    return self->rows && self->words ? 0 : error_plain (WEFT_ENOMEM);
}

int
allow_list_parse (struct allow_list **list, const char *text, size_t size, const char *path)
{
    *list = NULL;
    struct allow_list *self = calloc (1, sizeof *self);
    if (!self)
        return error_plain (WEFT_ENOMEM);
    int rc = map_init (&self->by_key);
    rc = rc ? rc : map_init (&self->by_name);
    rc = rc ? rc : make_room (self, size);
    rc = rc ? rc : take_rows (self, text, size, path);
    if (rc)
        allow_list_free (&self);
    *list = self;
    return rc;
}

void
allow_list_free (struct allow_list **list)
{
    struct allow_list *self = *list;
    if (!self)
        return;
    map_free (&self->by_key);
    map_free (&self->by_name);
    free (self->rows);
    free (self->words);
    free (self);
    *list = NULL;
}

bool
allow_may (const struct allow_entry *entry, const char *command)
{
    size_t size = strlen (command);
    const char *word = entry->may;
    if (!*word)
        return true;
    for (; *word; word += strlen (word) + 1)
        if (strncmp (word, command, size) == 0 && (word[size] == '\0' || word[size] == ':'))
            return true;
    return false;
}

bool
allow_may_topic (const struct allow_entry *entry, const char *command, const void *topic, size_t topic_size)
{
    size_t size = strlen (command);
    const char *word = entry->may;
    if (!*word)
        return true;
    for (; *word; word += strlen (word) + 1) {
        if (strncmp (word, command, size) != 0)
            continue;
        if (word[size] == '\0')
            return true;
        const char *prefix = word + size + 1;
        size_t prefix_size = strlen (prefix);
        if (word[size] == ':' && prefix_size <= topic_size && memcmp (prefix, topic, prefix_size) == 0)
            return true;
    }
    return false;
}
