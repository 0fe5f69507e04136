/*  talk.c - lines that threads want to say, for the one thread that speaks */

#include "cli/talk.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/error.h"

#define TALK_MAX 1000           /*  lines that wait                             */
#define LINE_MAX 1000           /*  bytes                                       */

struct talk_line {
    struct talk_line *next;
    bool error;
    char text[];
};

int
talk_init (struct talk *self)
{
    *self = (struct talk){ .fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK) };
    pthread_mutex_init (&self->lock, NULL);
    self->last = &self->first;
    return self->fd < 0 ? error_errno ("cannot watch what is said") : 0;
}

void
talk_free (struct talk *self)
{
    bool error;
    if (!self->last)
        return;
    for (char *line; (line = talk_next (self, &error)); )
        free (line);
    pthread_mutex_destroy (&self->lock);
    close (self->fd);
    *self = (struct talk){ .fd = -1 };
}

void
talk_stir (struct talk *self)
{
    eventfd_write (self->fd, 1);
}

static void
clean (char *text)
{
    for (; *text; text++)
        if ((unsigned char) *text < ' ' || *text == 127)
            *text = ' ';
}

static void
put (struct talk *self, struct talk_line *line)
{
    pthread_mutex_lock (&self->lock);
    bool room = self->count < TALK_MAX;
    if (room) {
        *self->last = line;
        self->last = &line->next;
        self->count++;
    } else
        self->dropped++;
    pthread_mutex_unlock (&self->lock);
    if (!room)
        free (line);
}

void
talk_say (struct talk *self, bool error, const char *format, ...)
{
    char text[LINE_MAX];
    va_list arguments;
    va_start (arguments, format);
    vsnprintf (text, sizeof text, format, arguments);
    va_end (arguments);
    clean (text);
    size_t size = strlen (text) + 1;
    struct talk_line *line = malloc (sizeof *line + size);
    if (line) {
        line->next = NULL;
        line->error = error;
        memcpy (line->text, text, size);
        put (self, line);
    }
    talk_stir (self);
}

/*  What could not be kept is said, too. */
static char *
dropped_line (struct talk *self)
{
    char *text = NULL;
    unsigned long dropped = self->dropped;
    self->dropped = 0;
    return dropped && asprintf (&text, "... and %lu lines more", dropped) >= 0 ? text : NULL;
}

char *
talk_next (struct talk *self, bool *error)
{
    eventfd_t seen;
    *error = false;
    eventfd_read (self->fd, &seen);
    pthread_mutex_lock (&self->lock);
    struct talk_line *line = self->first;
    char *text = line ? NULL : dropped_line (self);
    if (line) {
        self->first = line->next;
        self->count--;
        if (!self->first)
            self->last = &self->first;
    }
    pthread_mutex_unlock (&self->lock);
    if (!line)
        return text;
    *error = line->error;
    memmove (line, line->text, strlen (line->text) + 1);
    return (char *) line;
}
